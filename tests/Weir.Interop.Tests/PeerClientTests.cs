namespace Weir.Interop.Tests;

/// <summary>Programs of other gRPC libraries, written from the classic contract, against the Weir server.</summary>
public sealed class PeerClientTests(WeirServerFixture server) : IClassFixture<WeirServerFixture>
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(2);

    [Theory]
    [InlineData("create")] // list needs users: create makes its own and lists them as well
    [InlineData("stocks")]
    [InlineData("realtime")]
    [InlineData("upload")]
    [InlineData("large")]
    [InlineData("gap")]
    [InlineData("invalid")]
    [InlineData("deadline")]
    [InlineData("cancel")]
    [InlineData("unimplemented")]
    [InlineData("parallel")]
    public Task Go_client_finds_what_the_contract_says(string name) => RunCaseAsync(Peer.Go, name);

    [Theory]
    [InlineData("create")]
    [InlineData("stocks")]
    [InlineData("realtime")]
    [InlineData("upload")]
    [InlineData("large")]
    [InlineData("gap")]
    [InlineData("invalid")]
    [InlineData("deadline")]
    [InlineData("cancel")]
    [InlineData("unimplemented")]
    public Task Python_client_finds_what_the_contract_says(string name) => RunCaseAsync(Peer.Python, name);

    [Theory]
    [InlineData("go")]
    [InlineData("python")]
    public async Task Client_lists_the_users_that_it_created(string name)
    {
        var peer = Peer.Named(name);
        await RunCaseAsync(peer, "create", "1500");
        await RunCaseAsync(peer, "list", "1500");
    }

    [Fact]
    public async Task Go_and_Python_users_chat_with_each_other()
    {
        await Peer.Go.BuildAsync();
        await Peer.Python.BuildAsync();
        await using var go = await JoinAsync(Peer.Go, "gopher");
        await using var python = await JoinAsync(Peer.Python, "monty");

        await go.Input.WriteLineAsync("hello from Go");
        Assert.Equal("gopher: hello from Go", await python.ReadLineAsync(Limit));
        await python.Input.WriteLineAsync("Grüße 取引");
        Assert.Equal("monty: Grüße 取引", await go.ReadLineAsync(Limit));

        // One leaves; the other stays and ends well too, having heard nothing of its own.
        Assert.Equal(new Finished(0, "", ""), await LeaveAsync(go));
        await python.Input.WriteLineAsync("anybody there?");
        Assert.Equal(new Finished(0, "", ""), await LeaveAsync(python));
    }

    private async Task<Program> JoinAsync(Peer peer, string user)
    {
        var program = Program.Start([.. peer.Client, server.Address, "chat", "interop", user]);
        Assert.Equal("joined", await program.ReadLineAsync(Limit));
        return program;
    }

    private static Task<Finished> LeaveAsync(Program program)
    {
        program.Input.Close();
        return program.FinishAsync(Limit);
    }

    private async Task RunCaseAsync(Peer peer, params string[] arguments)
    {
        await peer.BuildAsync();
        var finished = await Program.RunAsync([.. peer.Client, server.Address, .. arguments], Limit);
        Assert.True(finished.ExitCode == 0, $"{peer.Name} client, exit code {finished.ExitCode}: {finished.Errors}");
    }
}
