using System.Threading.Channels;

namespace Weir.Cli.Chat;

/// <summary>The lines that somebody types or pipes in. Reading standard input cannot be cancelled, so a background thread does it, which the end
/// of the process ends; at most one line waits between it and the reader.</summary>
internal sealed class ChatInput
{
    private readonly Channel<string> _lines = Channel.CreateBounded<string>(new BoundedChannelOptions(1) { SingleReader = true, SingleWriter = true });

    private ChatInput(Func<string?> next)
    {
        new Thread(() => Read(next)) { IsBackground = true, Name = "chat input" }.Start();
    }

    /// <summary>Lines from a pipe or a file.</summary>
    public static ChatInput FromReader(TextReader reader) => new(reader.ReadLine);

    /// <summary>Lines typed on the screen; Ctrl-D on an empty line is the end.</summary>
    public static ChatInput FromKeys(ChatScreen screen) => new(() =>
    {
        while (true)
        {
            var key = Console.ReadKey(intercept: true);
            if (key is { Key: ConsoleKey.D, Modifiers: ConsoleModifiers.Control } && screen.IsEmpty)
                return null;
            if (screen.Press(key) is { } line)
                return line;
        }
    });

    /// <summary>The lines in order, until the input's end.</summary>
    public IAsyncEnumerable<string> ReadAllAsync(CancellationToken cancellationToken) => _lines.Reader.ReadAllAsync(cancellationToken);

    private void Read(Func<string?> next)
    {
        try
        {
            while (next() is { } line)
            {
                // Waits for room: a thread of its own may block.
                if (!_lines.Writer.TryWrite(line) && _lines.Writer.WaitToWriteAsync().AsTask().GetAwaiter().GetResult())
                    _lines.Writer.TryWrite(line);
            }
        }
        catch (Exception e) when (e is IOException or InvalidOperationException)
        {
            // The terminal is gone, and with it the one who typed: the same as the input's end.
        }

        _lines.Writer.Complete();
    }
}
