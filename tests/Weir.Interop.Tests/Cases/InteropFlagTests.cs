namespace Weir.Interop.Tests.Cases;

/// <summary>The official flags of gRPC's interop programs in the forms in which scripts of others give them, and what is wrong with wrong ones.</summary>
public sealed class InteropFlagTests(InteropServers servers) : IClassFixture<InteropServers>
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(2);

    [Theory]
    [InlineData("--server_host=127.0.0.1", "--test_case=empty_unary", "--use_tls=false", "--use_test_ca=false")]
    [InlineData("--server_host", "localhost", "--test_case", "empty_unary", "--use_tls", "false")]
    [InlineData("--test_case=empty_unary", "--use_test_ca", "--server_host_override=foo.test.google.fr")] // no meaning without TLS
    [InlineData("--test_case=rpc_soak", "--soak_iterations=20", "--soak_num_threads=4", "--soak_max_failures=0",
        "--soak_per_iteration_max_acceptable_latency_ms=100000", "--soak_overall_timeout_seconds=100", "--soak_min_time_ms_between_rpcs=1",
        "--soak_request_size=10", "--soak_response_size=20")]
    public async Task Official_flags_are_taken(params string[] flags)
    {
        var port = await servers.PortOfAsync(InteropPrograms.Weir, tls: false);
        Assert.Equal(new Finished(0, "", ""), await RunAsync("client", [.. flags, $"--server_port={port}"]));
    }

    [Fact]
    public async Task Official_flags_of_tls_are_taken_with_values()
    {
        Assert.SkipUnless(InteropPrograms.HaveCertificates, "gRPC's test certificates are missing: golang-google-grpc-dev");
        var port = await servers.PortOfAsync(InteropPrograms.Weir, tls: true);
        string[] flags = ["--test_case=empty_unary", "--use_tls=true", "--use_test_ca=true", "--server_host_override=foo.test.google.fr", $"--server_port={port}"];
        Assert.Equal(new Finished(0, "", ""), await RunAsync("client", flags));
    }

    [Theory]
    [InlineData("client", "'--bogus=1'", "--bogus=1")]
    [InlineData("client", "--server_port is 65536; it may be 1 to 65535.", "--server_port=65536")]
    [InlineData("client", "'x' for option '--server_port'", "--server_port=x")]
    [InlineData("client", "--soak_num_threads is 0; it may be 1 to 1000.", "--soak_num_threads=0")]
    [InlineData("client", "--soak_iterations is -1; it may be 0 to 2147483647.", "--soak_iterations=-1")]
    [InlineData("client", "--ca_file: there is no file /no/such.pem.", "--use_tls", "--use_test_ca", "--ca_file=/no/such.pem")]
    [InlineData("server", "'--bogus'", "--bogus")]
    [InlineData("server", "'x' for option '--port'", "--port=x")]
    [InlineData("server", "--port is 65536; it may be 0 to 65535.", "--port=65536")]
    [InlineData("server", "--tls_cert_file: there is no file /no/such.pem.", "--use_tls", "--tls_cert_file=/no/such.pem")]
    public async Task Wrong_flags_are_named_and_nothing_runs(string role, string error, params string[] flags)
    {
        var finished = await RunAsync(role, flags);
        Assert.Equal(1, finished.ExitCode);
        Assert.Contains(error, finished.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Server_whose_port_is_taken_says_so_and_fails()
    {
        var port = await servers.PortOfAsync(InteropPrograms.Weir, tls: false);
        var finished = await RunAsync("server", [$"--port={port}"]);
        Assert.Equal(1, finished.ExitCode);
        Assert.StartsWith("--port: ", finished.Errors, StringComparison.Ordinal);
        Assert.Single(finished.Errors.Split('\n'));
    }

    private static Task<Finished> RunAsync(string role, IEnumerable<string> flags) => Program.RunAsync(
        [.. role == "client" ? InteropPrograms.Client(InteropPrograms.Weir) : InteropPrograms.Server(InteropPrograms.Weir), .. flags], Limit);
}
