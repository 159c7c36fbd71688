using System.Globalization;

namespace Weir.Interop.Tests.Cases;

/// <summary>gRPC's negative HTTP/2 cases: Weir's client against a server that misbehaves, written on an HTTP/2 library of others.</summary>
/// <remarks>https://github.com/grpc/grpc/blob/master/doc/negative-http2-interop-test-descriptions.md</remarks>
public sealed class NegativeHttp2Tests
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(2);

    [Theory]
    [InlineData("goaway")]
    [InlineData("rst_after_header")]
    [InlineData("rst_during_data")]
    [InlineData("rst_after_data")]
    [InlineData("ping")]
    [InlineData("max_streams")]
    public async Task Weir_client_passes_and_the_server_has_nothing_to_object(string name)
    {
        const string Announcement = "listening ";
        await Peer.NegativeHttp2.BuildAsync();
        await using var server = Program.Start([.. Peer.NegativeHttp2.Server, "--port=0", $"--test_case={name}"]);
        var line = await server.ReadLineAsync(Limit);
        Assert.StartsWith(Announcement, line);
        var port = int.Parse(line![Announcement.Length..], CultureInfo.InvariantCulture);

        var client = await Program.RunAsync([.. InteropPrograms.Client(InteropPrograms.Weir), "--server_host=localhost", $"--server_port={port}", $"--test_case={name}"], Limit);
        server.Input.Close();
        var well = new Finished(0, "", "");
        Assert.Equal((well, well), (client, await server.FinishAsync(Limit))); // both: what the server objects to says why the client failed
    }
}
