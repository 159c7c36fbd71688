using Weir.Cli.Chat;

namespace Weir.Cli.Tests;

public sealed class LineEditorTests
{
    private readonly LineEditor _editor = new();

    [Fact]
    public void Enter_gives_the_line_and_starts_a_new_one()
    {
        Type("hello");
        Assert.Equal("hello", Press(ConsoleKey.Enter));
        Assert.Equal("", _editor.Text);
    }

    [Fact]
    public void Keys_edit_at_the_cursor()
    {
        Type("helo");
        Press(ConsoleKey.LeftArrow);
        Type("l");
        Press(ConsoleKey.Home);
        Press(ConsoleKey.Delete);
        Type("H");
        Press(ConsoleKey.End);
        Type("!?");
        Press(ConsoleKey.Backspace);
        Assert.Equal("Hello!", _editor.Text);
    }

    [Fact]
    public void Control_keys_clear_a_word_and_a_line()
    {
        Type("one two three");
        Press(ConsoleKey.W, control: true);
        Assert.Equal("one two ", _editor.Text);
        Press(ConsoleKey.U, control: true);
        Assert.Equal("", _editor.Text);
    }

    [Fact]
    public void A_pair_of_surrogates_goes_as_one()
    {
        Type("a😀");
        Press(ConsoleKey.Backspace);
        Assert.Equal("a", _editor.Text);
    }

    [Fact]
    public void Keys_at_the_edges_do_nothing()
    {
        foreach (var key in (ConsoleKey[])[ConsoleKey.Backspace, ConsoleKey.Delete, ConsoleKey.LeftArrow, ConsoleKey.RightArrow])
            Press(key);
        Assert.Equal("", _editor.Text);
    }

    [Fact]
    public void A_line_longer_than_the_window_shows_the_part_with_the_cursor()
    {
        Type("0123456789");
        Assert.Equal(("789", 3), _editor.View(4));
        Press(ConsoleKey.Home);
        Assert.Equal(("0123", 0), _editor.View(4));
    }

    [Fact]
    public void No_line_grows_without_end()
    {
        Type(new string('x', LineEditor.MaxChars + 1));
        Assert.Equal(LineEditor.MaxChars, _editor.Text.Length);
    }

    private void Type(string text)
    {
        foreach (var c in text)
            _editor.Press(new ConsoleKeyInfo(c, 0, shift: false, alt: false, control: false));
    }

    private string? Press(ConsoleKey key, bool control = false) => _editor.Press(new ConsoleKeyInfo('\0', key, shift: false, alt: false, control));
}
