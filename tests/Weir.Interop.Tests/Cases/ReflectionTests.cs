namespace Weir.Interop.Tests.Cases;

/// <summary>A client of another implementation that learns the server's contract from reflection and calls it.</summary>
public sealed class ReflectionTests(InteropServers servers) : IClassFixture<InteropServers>
{
    [Fact]
    public async Task Python_client_lists_describes_and_calls()
    {
        await Peer.Python.BuildAsync();
        var port = await servers.PortOfAsync(InteropPrograms.Weir, tls: false);
        var finished = await Program.RunAsync(
            ["/usr/bin/python3", Repository.PathOf("tests/peers/python/reflection_client.py"), $"localhost:{port}"], TimeSpan.FromSeconds(60));

        const string Expected = """
            grpc.health.v1.Health grpc.reflection.v1.ServerReflection grpc.reflection.v1alpha.ServerReflection grpc.testing.TestService
            EmptyCall UnaryCall CacheableUnaryCall StreamingOutputCall StreamingInputCall FullDuplexCall HalfDuplexCall UnimplementedCall
            1234

            """;
        Assert.Equal(new Finished(0, Expected.ReplaceLineEndings("\n"), ""), finished);
    }
}
