using System.Diagnostics;

namespace Weir.Cli.Tests;

/// <summary>Terminals that a test types into and reads from: a tmux server of its own, ended with the test.</summary>
internal sealed class Tmux : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(50);

    private readonly string _socket = $"weir-{Environment.ProcessId}-{Guid.NewGuid():N}";

    public static bool IsInstalled
    {
        get
        {
            try
            {
                return Run(["-V"]).ExitCode == 0;
            }
            catch (System.ComponentModel.Win32Exception)
            {
                return false;
            }
        }
    }

    /// <summary>Opens a terminal of 160 columns with a shell in a folder.</summary>
    public void Open(string name, string folder) =>
        Call("new-session", "-d", "-s", name, "-x", "160", "-y", "50", "-c", folder, "env", "PS1=$ ", "sh");

    /// <summary>Types a line and Enter.</summary>
    public void Type(string name, string line)
    {
        Call("send-keys", "-t", name, "-l", line);
        Call("send-keys", "-t", name, "Enter");
    }

    /// <summary>Presses a key by tmux's name, such as C-c.</summary>
    public void Press(string name, string key) => Call("send-keys", "-t", name, key);

    /// <summary>Everything on the terminal, with what has scrolled out; long lines in one piece.</summary>
    public string Screen(string name) => Call("capture-pane", "-p", "-J", "-S", "-", "-t", name);

    /// <summary>Waits until the terminal shows a text; fails with what it shows instead.</summary>
    public async Task<string> SeeAsync(string name, string text)
    {
        var clock = Stopwatch.StartNew();
        while (true)
        {
            var screen = Screen(name);
            if (screen.Contains(text, StringComparison.Ordinal))
                return screen;
            if (clock.Elapsed > Patience)
                Assert.Fail($"\"{text}\" did not appear within {Patience.TotalSeconds} s in terminal {name}:\n{screen}");
            await Task.Delay(Poll, TestContext.Current.CancellationToken);
        }
    }

    public void Dispose() => Run(["-L", _socket, "kill-server"]);

    private string Call(params string[] args)
    {
        var (exitCode, output) = Run(["-L", _socket, .. args]);
        return exitCode == 0 ? output : throw new InvalidOperationException($"tmux {string.Join(' ', args)}: exit code {exitCode}: {output}");
    }

    private static (int ExitCode, string Output) Run(string[] args)
    {
        using var tmux = Process.Start(new ProcessStartInfo("tmux", args) { RedirectStandardOutput = true })!;
        var output = tmux.StandardOutput.ReadToEnd();
        tmux.WaitForExit();
        return (tmux.ExitCode, output);
    }
}
