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
    [InlineData("", "Required command")]
    [InlineData("dance", "\"dance\"")]
    [InlineData("users list --limit -1", "--limit is -1")]
    [InlineData("users list --limit x", "--limit")]
    [InlineData("users sample -1", "-1")]
    [InlineData("files put", "put")]
    [InlineData("files put a b --name c", "--name is for one file, here are 2")]
    [InlineData("stocks replay x --speed -1", "--speed is -1")]
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
    public async Task An_address_that_is_none_is_exit_code_1()
    {
        Assert.Equal(1, await RunAsync("files", "ls", "--server", "nonsense"));
        Assert.StartsWith("weir: \"nonsense\" is no address", _error.ToString(), StringComparison.Ordinal);
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
}
