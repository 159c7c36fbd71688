namespace Weir.Interop.Tests.Cases;

/// <summary>A client of another implementation that learns the server's contract from reflection, v1 and v1alpha, and calls it: the interop service and
/// health.</summary>
public sealed class ReflectionTests(InteropServers servers) : IClassFixture<InteropServers>
{
    [Fact]
    public async Task Python_client_lists_describes_and_calls_what_it_found_as_grpcurl_does()
    {
        await Peer.Python.BuildAsync();
        var port = await servers.PortOfAsync(InteropPrograms.Weir, tls: false);
        var finished = await Program.RunAsync(
            ["/usr/bin/python3", Repository.PathOf("tests/peers/python/reflection_client.py"), $"localhost:{port}"], TimeSpan.FromMinutes(2));

        const string Expected = """
            grpc.health.v1.Health grpc.reflection.v1.ServerReflection grpc.reflection.v1alpha.ServerReflection grpc.testing.TestService
            grpc.testing.TestService: grpc/testing/test.proto grpc/testing/empty.proto grpc/testing/messages.proto
            grpc.testing.TestService.UnaryCall: grpc/testing/test.proto grpc/testing/empty.proto grpc/testing/messages.proto
            grpc.testing.SimpleRequest: grpc/testing/messages.proto
            grpc.testing.SimpleRequest.payload: grpc/testing/messages.proto
            grpc/testing/empty.proto: grpc/testing/empty.proto
            5 symbol "no.such.Symbol" is not found here
            5 file "no.proto" is not found here
            5 extension 1000 of message "grpc.testing.SimpleRequest" is not found here
            5 message "no.such.Type" is not found here
            []
            EmptyCall UnaryCall CacheableUnaryCall StreamingOutputCall StreamingInputCall FullDuplexCall HalfDuplexCall UnimplementedCall
            1234
            [3, 1, 2]
            1
            1
            3
            NOT_FOUND
            ['']

            """;
        var both = string.Concat(Enumerable.Repeat(Expected.ReplaceLineEndings("\n"), 2)); // v1 and v1alpha
        Assert.Equal(new Finished(0, both, ""), finished);
    }
}
