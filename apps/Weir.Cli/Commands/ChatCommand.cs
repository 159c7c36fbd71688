using System.CommandLine;
using Weir.Cli.Chat;

namespace Weir.Cli.Commands;

/// <summary><c>weir chat</c>.</summary>
internal static class ChatCommand
{
    private const string Quit = "/quit";

    public static Command Create(CommandOutput output)
    {
        var room = new Argument<string>("room") { Description = "The room." };
        var name = new Option<string>("--as") { Description = "Who you are.", HelpName = "NAME", Required = true };
        room.NotEmpty();
        name.NotEmpty();
        var command = new Command(
            "chat",
            $"Talk in a room: each line goes to the others; {Quit}, Ctrl-D or the end of piped input leaves. After a break the session comes back without missing a message.") { room, name };
        command.Does(output, (parsed, run) => RunAsync(run, parsed.GetRequiredValue(room), parsed.GetRequiredValue(name)));
        return command;
    }

    private static async Task<int> RunAsync(CommandRun run, string room, string name)
    {
        var output = run.Output;
        var screen = output.IsTerminal && !Console.IsInputRedirected ? new ChatScreen(output.Out, () => Console.WindowWidth, "> ") : null;
        var reconnect = screen is null
            ? run.Reconnect
            : new ReconnectOptions { RetryFirstContact = false, OnRetry = notice => screen.Print($"* the connection broke; trying again in {notice.Delay.TotalSeconds:0.0} s") };
        await using var session = await ChatSession.JoinAsync(run.Channel, room, name, new ChatOptions { Reconnect = reconnect }, run.CancellationToken);
        screen?.Start();
        screen?.Print($"* in {CommandOutput.Clean(room)} as {CommandOutput.Clean(name)}; {Quit} leaves");

        using var over = CancellationTokenSource.CreateLinkedTokenSource(run.CancellationToken);
        var sending = SendAsync(session, screen is null ? ChatInput.FromReader(Console.In) : ChatInput.FromKeys(screen), name, screen, over.Token);
        try
        {
            await output.WriteAllAsync(session.ReadAllAsync(run.CancellationToken), message => Show(output, screen, message), run.CancellationToken);
            await sending; // the session has ended because this has, or has failed
        }
        finally
        {
            // Whatever ended the session, the sender ends with it; its own cancellation is no news.
            await over.CancelAsync();
            await sending.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            screen?.End();
        }

        return ExitCode.Ok;
    }

    private static async Task SendAsync(ChatSession session, ChatInput input, string name, ChatScreen? screen, CancellationToken cancellationToken)
    {
        await foreach (var line in input.ReadAllAsync(cancellationToken))
        {
            if (line == Quit)
                break;
            if (line.Length == 0)
                continue;
            await session.SendAsync(line, cancellationToken);
            screen?.Print($"{DateTimeOffset.Now:HH:mm:ss} {CommandOutput.Clean(name)}: {CommandOutput.Clean(line)}");
        }

        await session.CompleteAsync(cancellationToken);
    }

    private static void Show(CommandOutput output, ChatScreen? screen, ChatMessage message)
    {
        if (screen is not null)
            screen.Print(Line(message));
        else
        {
            output.Write(
                json =>
                {
                    json.WriteString("room", message.RoomId);
                    json.WriteString("user", message.UserId);
                    json.WriteString("kind", message.Kind.ToString().ToLowerInvariant());
                    json.WriteString("content", message.Content);
                    json.WriteNumber("timestamp", message.Timestamp);
                    json.WriteNumber("sequence", message.Sequence);
                },
                () => Line(message));
        }
    }

    private static string Line(ChatMessage message)
    {
        var time = DateTimeOffset.FromUnixTimeSeconds(Math.Clamp(message.Timestamp, 0, 253_402_300_799)).ToLocalTime();
        var user = CommandOutput.Clean(message.UserId);
        return message.Kind switch
        {
            ChatMessage.Types.Kind.Joined => $"{time:HH:mm:ss} * {user} joined",
            ChatMessage.Types.Kind.Left => $"{time:HH:mm:ss} * {user} left",
            _ => $"{time:HH:mm:ss} {user}: {CommandOutput.Clean(message.Content)}",
        };
    }
}
