using System.Runtime.CompilerServices;
using Weir.Cli.Output;

namespace Weir.Cli.Tests;

public sealed class CommandLineTests : IDisposable
{
    private readonly StringWriter _out = new();
    private readonly StringWriter _error = new();

    public void Dispose()
    {
        _out.Dispose();
        _error.Dispose();
    }

    [Fact]
    public async Task Version_is_said_for_people_and_for_programs()
    {
        Assert.Equal(0, await RunAsync("version"));
        Assert.Matches(@"^weir \d+\.\d+\.\d+ ", _out.ToString());
        _out.GetStringBuilder().Clear();
        Assert.Equal(0, await RunAsync("--json", "version"));
        Assert.StartsWith("""{"version":""", _out.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", "'weir' needs a command: serve, users, stocks, files, chat, version. 'weir --help' shows how.")]
    [InlineData("users", "'weir users' needs a command: import, list, sample. 'weir users --help' shows how.")]
    [InlineData("dance", "\"dance\" is no command, option or argument of 'weir'. 'weir --help' shows how.")]
    [InlineData("help", "; did you mean --help? 'weir --help' shows how.")]
    [InlineData("usres list", "; did you mean users?")]
    [InlineData("users lsit", "\"lsit\" is no command, option or argument of 'weir users'; did you mean list? 'weir users --help' shows how.")]
    [InlineData("users list --limt 3", "; did you mean --limit? 'weir users list --help' shows how.")]
    [InlineData("users list --sever x", "; did you mean --server?")]
    [InlineData("users list --limit -1", "--limit is \"-1\"; it must be a whole number, 0 to 2,147,483,647.")]
    [InlineData("users list --limit x", "--limit is \"x\"; it must be a whole number, 0 to 2,147,483,647.")]
    [InlineData("users list --after 99999999999", "--after is \"99999999999\"; it must be a whole number, 0 to 2,147,483,647.")]
    [InlineData("users list --page-size 20000", "--page-size is \"20000\"; it must be a whole number, 1 to 10,000.")]
    [InlineData("users sample -1", "The count is \"-1\"; it must be a whole number, 0 to 2,147,483,647.")]
    [InlineData("users sample 1 --seed x", "--seed is \"x\"; it must be a whole number, -2,147,483,648 to 2,147,483,647.")]
    [InlineData("stocks watch A --count x", "--count is \"x\"; it must be a whole number, 0 to 2,147,483,647.")]
    [InlineData("--json serve", "Write 'weir serve' first")]
    [InlineData("files ls --server nonsense", "\"nonsense\" is no address of a server: write http://HOST:PORT, https://HOST:PORT or unix:/PATH.")]
    [InlineData("files ls --server http://127.0.0.1:99999", "\"http://127.0.0.1:99999\" is no address of a server")]
    [InlineData("files put", "put")]
    [InlineData("files put a b --name c", "--name is for one file, here are 2")]
    [InlineData("stocks replay x --speed -1", "--speed is \"-1\"; it must be a number, 0 to 100,000.")]
    [InlineData("stocks replay x --speed fast", "--speed is \"fast\"; it must be a number, 0 to 100,000.")]
    [InlineData("stocks watch", "watch")]
    [InlineData("chat room", "--as")]
    public async Task A_wrong_command_line_is_exit_code_2_and_one_sentence(string line, string reason)
    {
        Assert.Equal(2, await RunAsync(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)));
        var sentence = Assert.Single(_error.ToString().TrimEnd('\n').Split('\n'));
        Assert.StartsWith("weir: ", sentence, StringComparison.Ordinal);
        Assert.Contains(reason, sentence, StringComparison.Ordinal);
        Assert.Equal("", _out.ToString());
    }

    [Fact]
    public async Task A_file_that_is_not_there_is_exit_code_1_and_one_sentence()
    {
        Assert.Equal(1, await RunAsync("users", "import", "/nowhere/users.csv"));
        Assert.Matches("^weir: [^\n]*/nowhere/users.csv[^\n]*\n$", _error.ToString());
    }

    [Fact]
    public async Task A_room_or_a_name_that_is_empty_is_exit_code_2()
    {
        string[][] lines = [["chat", "", "--as", "ann"], ["chat", "tea", "--as", ""], ["files", "put", "x", "--name", ""]];
        foreach (var line in lines)
            Assert.Equal(2, await RunAsync(line));
        Assert.Equal(
            """
            weir: The room is empty. 'weir chat --help' shows how.
            weir: --as is empty. 'weir chat --help' shows how.
            weir: --name is empty. 'weir files put --help' shows how.

            """,
            _error.ToString());
    }

    [Fact]
    public async Task A_folder_in_the_place_of_a_file_and_a_folder_that_is_not_there_are_named()
    {
        var folder = Path.GetTempPath();
        string[][] lines =
        [
            ["users", "import", folder], ["files", "put", folder], ["stocks", "replay", folder], ["users", "sample", "1", "--out", folder],
            ["users", "sample", "1", "--out", "/nowhere/users.csv"], ["files", "put", "/nowhere/file"],
        ];
        foreach (var line in lines)
            Assert.Equal(1, await RunAsync(line));
        Assert.Equal(
            [.. Enumerable.Repeat($"weir: {folder} is a folder; name a file.", 4), "weir: There is no folder /nowhere to write users.csv to.", "weir: There is no file /nowhere/file."],
            _error.ToString().TrimEnd('\n').Split('\n'));
    }

    [Fact]
    public async Task Help_says_the_exit_codes_and_the_ranges()
    {
        Assert.Equal(0, await RunAsync("--help"));
        Assert.Contains("Exit codes: 0 done, 1 failed, 2 wrong command line, 130 Ctrl-C, 143 SIGTERM.", _out.ToString(), StringComparison.Ordinal);
        Assert.Equal(0, await RunAsync("users", "list", "--help"));
        Assert.Contains("Rows that the server fetches at once. 1 to 10,000. [default: 1000]", _out.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Output_that_fails_while_a_record_is_awaited_ends_the_wait_and_tells_the_failure()
    {
        await using var output = new CommandOutput(new BrokenWriter(), _error, isTerminal: false);
        var ended = new TaskCompletionSource();
        await Assert.ThrowsAsync<OutputClosedException>(() => output
            .WriteAllAsync(Endless(TestContext.Current.CancellationToken), _ => output.Write(_ => { }, () => "a record"), TestContext.Current.CancellationToken)
            .WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken));
        Assert.True(ended.Task.IsCompletedSuccessfully, "The records' source has not been ended.");

        async IAsyncEnumerable<int> Endless([EnumeratorCancellation] CancellationToken cancellationToken = default)
        {
            try
            {
                yield return 1;
                await Task.Delay(Timeout.Infinite, cancellationToken);
            }
            finally
            {
                ended.SetResult();
            }
        }
    }

    [Fact]
    public async Task Without_a_server_the_error_says_how_to_start_one()
    {
        // Port 7189 is nobody's; a refused connection is an answer at once.
        Assert.Equal(1, await RunAsync("users", "list", "--server", "http://127.0.0.1:7189"));
        Assert.Matches(
            @"^weir: cannot connect to (http://)?127\.0\.0\.1:7189: Connection refused\. Is the server running\? Start it with 'weir serve'\.\n$",
            _error.ToString());
    }

    [Fact]
    public async Task Sample_users_are_the_same_for_a_seed_and_each_has_an_email_of_its_own()
    {
        Assert.Equal(0, await RunAsync("users", "sample", "1000"));
        var first = _out.ToString();
        _out.GetStringBuilder().Clear();
        Assert.Equal(0, await RunAsync("users", "sample", "1000", "--seed", "1"));
        Assert.Equal(first, _out.ToString());
        var lines = first.TrimEnd('\n').Split('\n');
        Assert.Equal("name,email", lines[0]);
        Assert.Equal(1000, lines.Skip(1).Select(line => line.Split(',')[1]).Distinct().Count());
    }

    private async Task<int> RunAsync(params string[] args)
    {
        await using var output = new CommandOutput(_out, _error, isTerminal: false);
        return await CommandLine.RunAsync(args, output, TestContext.Current.CancellationToken);
    }

    /// <summary>A pipe whose reader has gone once something was written.</summary>
    private sealed class BrokenWriter : StringWriter
    {
        public override Task FlushAsync(CancellationToken cancellationToken) =>
            ToString().Length == 0 ? Task.CompletedTask : Task.FromException(new OutputClosedException(new IOException("Broken pipe")));
    }
}
