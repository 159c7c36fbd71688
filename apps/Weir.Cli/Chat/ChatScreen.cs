using System.Text;

namespace Weir.Cli.Chat;

/// <summary>Messages above, the line that is being typed below. Safe for use by the typing thread and the reading loop at once.</summary>
internal sealed class ChatScreen(TextWriter terminal, Func<int> columns, string prompt)
{
    private const string ClearLine = "\r\u001b[K";

    private readonly Lock _lock = new();
    private readonly LineEditor _editor = new();

    public void Start()
    {
        lock (_lock)
            Draw("");
    }

    /// <summary>Prints a line above the one that is being typed, which stays as it is.</summary>
    public void Print(string line)
    {
        lock (_lock)
            Draw(line + "\n");
    }

    /// <summary>Takes a key. Returns the finished line on Enter, else null.</summary>
    public string? Press(ConsoleKeyInfo key)
    {
        lock (_lock)
        {
            var line = _editor.Press(key);
            Draw("");
            return line;
        }
    }

    /// <summary>Whether nothing is typed, so that Ctrl-D means the end.</summary>
    public bool IsEmpty
    {
        get
        {
            lock (_lock)
                return _editor.Text.Length == 0;
        }
    }

    public void End()
    {
        lock (_lock)
            terminal.Write(ClearLine);
    }

    // One write for everything: a terminal never shows a half-drawn line.
    private void Draw(string above)
    {
        var (text, column) = _editor.View(columns() - prompt.Length - 1);
        var screen = new StringBuilder(ClearLine).Append(above).Append(prompt).Append(text);
        if (column < text.Length)
            screen.Append($"\u001b[{text.Length - column}D");
        terminal.Write(screen.ToString());
        terminal.Flush();
    }
}
