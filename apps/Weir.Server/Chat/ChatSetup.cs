namespace Weir.Server.Chat;

static class ChatSetup
{
    /// <summary>Adds the chat calls, their messages in "chat.db" of the data folder.</summary>
    public static IServiceCollection AddChat(this IServiceCollection services, string dataDirectory) =>
        services
            .AddSingleton(new ChatOptions { DatabasePath = Path.Combine(dataDirectory, "chat.db") })
            .AddSingleton<ChatLog>()
            .AddSingleton<ChatRooms>()
            .AddSingleton<ChatHandler>();
}
