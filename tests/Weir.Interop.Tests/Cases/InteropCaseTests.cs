namespace Weir.Interop.Tests.Cases;

/// <summary>gRPC's interop cases, each client and each server a process of its own.</summary>
/// <remarks>https://github.com/grpc/grpc/blob/master/doc/interop-test-descriptions.md</remarks>
public sealed class InteropCaseTests(InteropServers servers) : IClassFixture<InteropServers>
{
    private const int NotSupported = 2;

    public static TheoryData<string> Names =>
    [
        "empty_unary", "large_unary", "client_streaming", "server_streaming", "ping_pong", "empty_stream", "custom_metadata",
        "status_code_and_message", "special_status_message", "unimplemented_method", "unimplemented_service",
        "cancel_after_begin", "cancel_after_first_response", "timeout_on_sleeping_server", "rpc_soak", "channel_soak",
    ];

    [Theory]
    [MemberData(nameof(Names))]
    public Task Weir_passes_against_Weir(string name) => PassAsync("weir", "weir", name);

    [Theory]
    [MemberData(nameof(Names))]
    public Task Weir_client_passes_against_Go(string name) => PassAsync("weir", "go", name);

    [Theory]
    [MemberData(nameof(Names))]
    public Task Go_client_passes_against_Weir(string name) => PassAsync("go", "weir", name);

    [Theory]
    [InlineData("weir", "weir")]
    [InlineData("weir", "go")]
    [InlineData("go", "weir")]
    public async Task Large_unary_passes_with_TLS(string client, string server)
    {
        Assert.SkipUnless(InteropPrograms.HaveCertificates, "gRPC's test certificates are missing: golang-google-grpc-dev");
        await PassAsync(client, server, "large_unary", tls: true);
    }

    // Each of the others has what its library can do: a client of Go sends all
    // messages of a call compressed or none, a server of Go answers as it was asked, and one of Python does not see how messages came.
    [Theory]
    [InlineData("weir", "weir", "client_compressed_unary")]
    [InlineData("weir", "weir", "server_compressed_unary")]
    [InlineData("weir", "weir", "client_compressed_streaming")]
    [InlineData("weir", "weir", "server_compressed_streaming")]
    [InlineData("weir", "go", "client_compressed_unary")]
    [InlineData("weir", "go", "client_compressed_streaming")]
    [InlineData("weir", "python", "server_compressed_unary")]
    [InlineData("weir", "python", "server_compressed_streaming")]
    [InlineData("go", "weir", "client_compressed_unary")]
    [InlineData("go", "weir", "server_compressed_unary")]
    [InlineData("go", "weir", "server_compressed_streaming")]
    [InlineData("python", "weir", "client_compressed_unary")]
    [InlineData("python", "weir", "client_compressed_streaming")]
    [InlineData("python", "weir", "server_compressed_unary")]
    [InlineData("python", "weir", "server_compressed_streaming")]
    public Task Compressed_messages_pass(string client, string server, string name) => PassAsync(client, server, name);

    [Theory]
    [InlineData("cacheable_unary", "the case is about a caching proxy, which keeps no answers to POST; gRPC has no GET any more")]
    public async Task What_Weir_does_not_have_is_said_and_not_passed(string name, string reason) =>
        Assert.Equal(new Finished(NotSupported, "", $"{name}: {reason}"), await RunAsync("weir", "weir", name));

    [Fact]
    public async Task Unknown_case_fails_and_names_those_that_are_known()
    {
        var finished = await RunAsync("weir", "weir", "no_such_case");
        Assert.Equal(1, finished.ExitCode);
        Assert.StartsWith("no_such_case: no such case; these are known: empty_unary, ", finished.Errors);
    }

    [Fact]
    public async Task Server_whose_certificate_has_another_name_fails_a_case()
    {
        Assert.SkipUnless(InteropPrograms.HaveCertificates, "gRPC's test certificates are missing: golang-google-grpc-dev");
        var finished = await RunAsync("weir", "weir", "empty_unary", tls: true, "example.org");
        Assert.Equal(1, finished.ExitCode);
        Assert.StartsWith("empty_unary: Unavailable", finished.Errors);
    }

    private async Task PassAsync(string client, string server, string name, bool tls = false)
    {
        var finished = await RunAsync(client, server, name, tls);
        Assert.True(finished.ExitCode == 0, $"{client} client with {server} server, exit code {finished.ExitCode}: {finished.Errors}");
    }

    private async Task<Finished> RunAsync(string client, string server, string name, bool tls = false, string serverName = InteropPrograms.ServerName)
    {
        if (client == "go" || server == "go")
            await Peer.GoInterop.BuildAsync();
        if (client == "python" || server == "python")
            await Peer.Python.BuildAsync();
        var port = await servers.PortOfAsync(server, tls);
        return await Program.RunAsync(
            [
                .. InteropPrograms.Client(client),
                "--server_host=localhost",
                $"--server_port={port}",
                $"--test_case={name}",
                .. tls ? InteropPrograms.ClientTls(serverName) : [],
            ],
            TimeSpan.FromSeconds(60));
    }
}
