namespace Weir.Server.Users;

internal static class UsersSetup
{
    /// <summary>Adds the user calls; needs the database.</summary>
    public static IServiceCollection AddUsers(this IServiceCollection services) =>
        services.AddSingleton<UserStore>().AddSingleton<UsersHandler>();
}
