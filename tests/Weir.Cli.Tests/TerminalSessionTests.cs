using System.Security.Cryptography;
using System.Text.RegularExpressions;

namespace Weir.Cli.Tests;

/// <summary>A whole session as people have it: a server, an import, a list, files and two who chat, each in a terminal.</summary>
public sealed partial class TerminalSessionTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("weir-session").FullName;
    private readonly string _weir = Path.Combine(AppContext.BaseDirectory, "weir");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task A_session_in_terminals_from_serve_to_chat()
    {
        Assert.SkipUnless(Tmux.IsInstalled, "tmux is not installed; ./test installs it where apt can.");
        var content = RandomNumberGenerator.GetBytes(3_000_000);
        await File.WriteAllBytesAsync(Path.Combine(_folder, "photo.bin"), content, TestContext.Current.CancellationToken);
        using var tmux = new Tmux();
        foreach (var name in (string[])["server", "ann", "bob"])
        {
            tmux.Open(name, _folder);
            tmux.Type(name, $"weir() {{ '{_weir}' \"$@\"; echo \"exit=$?\"; }}");
        }

        tmux.Type("server", $"weir serve --urls http://127.0.0.1:0 --data {_folder}/data");
        var url = Url().Match(await tmux.SeeAsync("server", "Data: ")).Value; // the line behind the one with the port, which is whole then
        foreach (var name in (string[])["ann", "bob"])
            tmux.Type(name, $"export WEIR_SERVER={url}");

        tmux.Type("ann", "weir users sample 1000 --out users.csv");
        await tmux.SeeAsync("ann", "exit=0");
        tmux.Type("ann", "clear; weir users import users.csv");
        await tmux.SeeAsync("ann", "created 1,000, skipped 0");
        tmux.Type("ann", "clear; weir users list --after 998");
        Assert.Contains("1000  ", await tmux.SeeAsync("ann", "exit=0"), StringComparison.Ordinal);

        tmux.Type("ann", "clear; weir files put photo.bin");
        await tmux.SeeAsync("ann", Convert.ToHexStringLower(SHA256.HashData(content)));
        tmux.Type("bob", "clear; weir files get photo.bin -o copy.bin");
        await tmux.SeeAsync("bob", "exit=0");
        Assert.Equal(content, await File.ReadAllBytesAsync(Path.Combine(_folder, "copy.bin"), TestContext.Current.CancellationToken));
        Assert.Empty(Directory.GetFiles(_folder, "*.weir-part"));

        tmux.Type("ann", "clear; weir stocks watch AAPL --count 2");
        await tmux.SeeAsync("ann", "exit=0");
        await ChatAsync(tmux);

        tmux.Press("server", "C-c");
        await tmux.SeeAsync("server", "exit=0");
        tmux.Type("ann", "clear; weir files ls");
        await tmux.SeeAsync("ann", "Is the server running? Start it with 'weir serve'.");
        await tmux.SeeAsync("ann", "exit=1");
    }

    private static async Task ChatAsync(Tmux tmux)
    {
        tmux.Type("ann", "clear; weir chat lobby --as ann");
        await tmux.SeeAsync("ann", "* in lobby as ann");
        tmux.Type("bob", "clear; weir chat lobby --as bob");
        await tmux.SeeAsync("bob", "* in lobby as bob");
        await tmux.SeeAsync("ann", "* bob joined");

        // What ann has typed but not sent stays under the cursor while bob's message comes in above it.
        tmux.Press("ann", "h");
        await tmux.SeeAsync("ann", "> h");
        tmux.Type("bob", "hello ann");
        await tmux.SeeAsync("ann", "bob: hello ann");
        tmux.Type("ann", "i bob");
        await tmux.SeeAsync("bob", "ann: hi bob");

        tmux.Type("bob", "/quit");
        await tmux.SeeAsync("bob", "exit=0");
        await tmux.SeeAsync("ann", "* bob left");
        tmux.Press("ann", "C-c");
        await tmux.SeeAsync("ann", "exit=130");
    }

    [GeneratedRegex(@"(?<=listens on )http://127\.0\.0\.1:\d+")]
    private static partial Regex Url();
}
