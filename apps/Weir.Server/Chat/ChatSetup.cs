namespace Weir.Server.Chat;

static class ChatSetup
{
    /// <summary>Adds the chat calls with their settings.</summary>
    public static IServiceCollection AddChat(this IServiceCollection services, ChatOptions options) =>
        services
            .AddSingleton(options)
            .AddSingleton<ChatLog>()
            .AddSingleton<ChatRooms>()
            .AddSingleton<ChatHandler>();
}
