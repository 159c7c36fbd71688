namespace Weir.Server.Files;

static class FilesSetup
{
    /// <summary>Adds the file calls with their settings.</summary>
    public static IServiceCollection AddFiles(this IServiceCollection services, FilesOptions options) =>
        services
            .AddSingleton(options)
            .AddSingleton<FileStore>()
            .AddSingleton<ActiveUploads>()
            .AddSingleton<FilesHandler>();
}
