namespace Weir.Cli.Chat;

/// <summary>A line that is being typed. No I/O: keys go in, the text and the cursor come out.</summary>
internal sealed class LineEditor
{
    /// <summary>No line grows beyond this; what is typed further is not taken.</summary>
    public const int MaxChars = 4096;

    private string _text = "";

    public string Text => _text;

    /// <summary>Where the next character goes, 0 to the text's length.</summary>
    public int Cursor { get; private set; }

    /// <summary>Takes a key. Returns the finished line on Enter, else null.</summary>
    public string? Press(ConsoleKeyInfo key)
    {
        var control = key.Modifiers.HasFlag(ConsoleModifiers.Control);
        switch (key.Key)
        {
            case ConsoleKey.Enter:
                var line = _text;
                Replace("", 0);
                return line;
            case ConsoleKey.Backspace when Cursor > 0:
                Replace(_text.Remove(Before(), Cursor - Before()), Before());
                break;
            case ConsoleKey.Delete when Cursor < _text.Length:
                Replace(_text.Remove(Cursor, After() - Cursor), Cursor);
                break;
            case ConsoleKey.LeftArrow when Cursor > 0:
                Cursor = Before();
                break;
            case ConsoleKey.RightArrow when Cursor < _text.Length:
                Cursor = After();
                break;
            case ConsoleKey.Home:
            case ConsoleKey.A when control:
                Cursor = 0;
                break;
            case ConsoleKey.End:
            case ConsoleKey.E when control:
                Cursor = _text.Length;
                break;
            case ConsoleKey.U when control:
                Replace(_text[Cursor..], 0);
                break;
            case ConsoleKey.W when control:
                var kept = _text[..Cursor].TrimEnd();
                kept = kept[..(kept.LastIndexOf(' ') + 1)];
                Replace(kept + _text[Cursor..], kept.Length);
                break;
            default:
                if (!char.IsControl(key.KeyChar) && _text.Length < MaxChars)
                    Replace(_text.Insert(Cursor, key.KeyChar.ToString()), Cursor + 1);
                break;
        }

        return null;
    }

    /// <summary>What of the line fits into so many columns, the cursor always in it, and the cursor's column there.</summary>
    public (string Text, int Column) View(int columns)
    {
        var start = Math.Max(0, Cursor - Math.Max(1, columns) + 1);
        return (_text.Substring(start, Math.Min(_text.Length - start, Math.Max(1, columns))), Cursor - start);
    }

    private void Replace(string text, int cursor)
    {
        _text = text;
        Cursor = cursor;
    }

    // A pair of surrogates is one character for who types.
    private int Before() => Cursor >= 2 && char.IsLowSurrogate(_text[Cursor - 1]) && char.IsHighSurrogate(_text[Cursor - 2]) ? Cursor - 2 : Cursor - 1;

    private int After() => Cursor + 1 < _text.Length && char.IsHighSurrogate(_text[Cursor]) && char.IsLowSurrogate(_text[Cursor + 1]) ? Cursor + 2 : Cursor + 1;
}
