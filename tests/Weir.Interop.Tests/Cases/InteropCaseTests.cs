namespace Weir.Interop.Tests.Cases;

/// <summary>gRPC's interop cases, each client and each server a process of its own.</summary>
/// <remarks>https://github.com/grpc/grpc/blob/master/doc/interop-test-descriptions.md</remarks>
public sealed class InteropCaseTests(InteropServers servers) : IClassFixture<InteropServers>
{
    private const string Weir = InteropPrograms.Weir;
    private const int NotSupported = 2;

    // The soak cases call one second late, which a busy machine may need; what is tested here is that all calls succeed.
    private static readonly string[] AnyLatency = ["--soak_per_iteration_max_acceptable_latency_ms=100000", "--soak_overall_timeout_seconds=100"];

    public static TheoryData<string> Names =>
    [
        "empty_unary", "large_unary", "client_streaming", "server_streaming", "ping_pong", "empty_stream", "custom_metadata",
        "status_code_and_message", "special_status_message", "unimplemented_method", "unimplemented_service",
        "cancel_after_begin", "cancel_after_first_response", "timeout_on_sleeping_server", "rpc_soak", "channel_soak", "concurrent_large_unary",
    ];

    /// <summary>What other libraries do in a way of their own: framing, metadata, text of a status, endings. The rest is in
    /// tests/interop/matrix, which takes minutes.</summary>
    public static TheoryData<string, string> PeersAndNames
    {
        get
        {
            var data = new TheoryData<string, string>();
            foreach (var peer in Peer.Interop.Keys)
            {
                foreach (var name in (string[])
                    ["large_unary", "client_streaming", "ping_pong", "custom_metadata", "status_code_and_message", "special_status_message",
                    "unimplemented_method", "cancel_after_first_response", "timeout_on_sleeping_server"])
                    data.Add(peer, name);
            }

            return data;
        }
    }

    public static IEnumerable<TheoryDataRow<string>> Peers => Peer.Interop.Keys.Select(name => new TheoryDataRow<string>(name));

    [Theory]
    [MemberData(nameof(Names))]
    public Task Weir_passes_against_Weir(string name) => PassAsync(Weir, Weir, name);

    [Theory]
    [MemberData(nameof(PeersAndNames))]
    public Task Weir_client_passes_against(string peer, string name) => PassAsync(Weir, peer, name);

    [Theory]
    [MemberData(nameof(PeersAndNames))]
    public Task Client_passes_against_Weir(string peer, string name) => PassAsync(peer, Weir, name);

    [Theory]
    [InlineData(Weir)]
    [MemberData(nameof(Peers))]
    public async Task Large_unary_passes_with_TLS(string peer)
    {
        Assert.SkipUnless(InteropPrograms.HaveCertificates, "gRPC's test certificates are missing: golang-google-grpc-dev");
        await PassAsync(Weir, peer, "large_unary", tls: true);
        await PassAsync(peer, Weir, "large_unary", tls: true);
    }

    // C++ sees and chooses compression message by message; each of the others has what its library can do: a client of Go sends all messages of a
    // call compressed or none, a server of Go answers as it was asked, one of Python does not see how messages came, one of Node neither.
    [Theory]
    [InlineData(Weir, Weir, "client_compressed_unary")]
    [InlineData(Weir, Weir, "server_compressed_unary")]
    [InlineData(Weir, Weir, "client_compressed_streaming")]
    [InlineData(Weir, Weir, "server_compressed_streaming")]
    [InlineData(Weir, "C++", "client_compressed_unary")]
    [InlineData(Weir, "C++", "server_compressed_unary")]
    [InlineData(Weir, "C++", "client_compressed_streaming")]
    [InlineData(Weir, "C++", "server_compressed_streaming")]
    [InlineData("C++", Weir, "client_compressed_unary")]
    [InlineData("C++", Weir, "server_compressed_unary")]
    [InlineData("C++", Weir, "client_compressed_streaming")]
    [InlineData("C++", Weir, "server_compressed_streaming")]
    [InlineData(Weir, "Go", "client_compressed_unary")]
    [InlineData(Weir, "Go", "client_compressed_streaming")]
    [InlineData(Weir, "Python", "server_compressed_unary")]
    [InlineData(Weir, "Python", "server_compressed_streaming")]
    [InlineData("Go", Weir, "client_compressed_unary")]
    [InlineData("Go", Weir, "server_compressed_unary")]
    [InlineData("Go", Weir, "server_compressed_streaming")]
    [InlineData("Python", Weir, "client_compressed_unary")]
    [InlineData("Python", Weir, "server_compressed_unary")]
    [InlineData("Python", Weir, "client_compressed_streaming")]
    [InlineData("Python", Weir, "server_compressed_streaming")]
    [InlineData("Node", Weir, "client_compressed_unary")]
    [InlineData("Node", Weir, "server_compressed_unary")]
    [InlineData("Node", Weir, "client_compressed_streaming")]
    [InlineData("Node", Weir, "server_compressed_streaming")]
    public Task Compressed_messages_pass(string client, string server, string name) => PassAsync(client, server, name);

    [Theory]
    [InlineData(Weir, Weir)]
    [InlineData(Weir, "Go")]
    [InlineData("Go", Weir)]
    public async Task Cacheable_unary_passes_and_says_that_no_proxy_was_there(string client, string server) => Assert.Equal(
        new Finished(0, "no proxy has kept the first response: gRPC sends its calls with POST, whose answers caches do not keep\n", ""),
        await RunAsync(client, server, "cacheable_unary"));

    [Theory]
    [InlineData("oauth2_auth_token", "the case is about credentials of Google's cloud, which Weir has no helpers for")]
    [InlineData("orca_oob", "the case is about ORCA load reports, which Weir does not have")]
    public async Task What_Weir_does_not_have_is_said_and_not_passed(string name, string reason) =>
        Assert.Equal(new Finished(NotSupported, "", $"{name}: {reason}"), await RunAsync(Weir, Weir, name));

    [Fact]
    public async Task Unknown_case_fails_and_names_those_that_are_known()
    {
        var finished = await RunAsync(Weir, Weir, "no_such_case");
        Assert.Equal(1, finished.ExitCode);
        Assert.StartsWith("no_such_case: no such case; these are known: empty_unary, ", finished.Errors);
    }

    [Fact]
    public async Task Server_whose_certificate_has_another_name_fails_a_case()
    {
        Assert.SkipUnless(InteropPrograms.HaveCertificates, "gRPC's test certificates are missing: golang-google-grpc-dev");
        var finished = await RunAsync(Weir, Weir, "empty_unary", tls: true, "example.org");
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
        foreach (var peer in new[] { client, server }.Where(name => name != Weir))
            await Peer.Interop[peer].BuildAsync();
        var port = await servers.PortOfAsync(server, tls);
        return await Program.RunAsync(
            [
                .. InteropPrograms.Client(client),
                "--server_host=localhost",
                $"--server_port={port}",
                $"--test_case={name}",
                .. tls ? InteropPrograms.ClientTls(serverName) : [],
                .. name.EndsWith("_soak", StringComparison.Ordinal) ? AnyLatency : [],
            ],
            TimeSpan.FromMinutes(2));
    }
}
