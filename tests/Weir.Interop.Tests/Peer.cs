namespace Weir.Interop.Tests;

/// <summary>A gRPC implementation that is not Weir, with a client and a server.</summary>
public sealed record Peer
{
    private const int MissingPackages = 2;

    private readonly Lazy<Task<Finished>> _build;

    private Peer(string name, string[] client, string[] server)
    {
        (Name, Client, Server) = (name, client, server);
        _build = new(() => Program.RunAsync([Repository.PathOf("tests/peers/build"), name], TimeSpan.FromMinutes(5)));
    }

    public static Peer Go { get; } = new(
        "go",
        [Repository.PathOf("artifacts/peers/bin/classic-client")],
        [Repository.PathOf("artifacts/peers/bin/classic-server")]);

    public static Peer Python { get; } = new(
        "python",
        ["/usr/bin/python3", Repository.PathOf("tests/peers/python/classic_client.py")],
        ["/usr/bin/python3", Repository.PathOf("tests/peers/python/classic_server.py")]);

    /// <summary>The clients and servers of gRPC's interop tests on other libraries, by language.</summary>
    public static IReadOnlyDictionary<string, Peer> Interop { get; } = new Dictionary<string, Peer>
    {
        ["Go"] = new(
            "interop-go",
            [Repository.PathOf("artifacts/peers/bin/interop-client")],
            [Repository.PathOf("artifacts/peers/bin/interop-server")]),
        ["C++"] = new(
            "interop-cpp",
            [Repository.PathOf("artifacts/peers/bin/interop-cpp-client")],
            [Repository.PathOf("artifacts/peers/bin/interop-cpp-server")]),
        ["Python"] = new(
            "interop-python",
            ["/usr/bin/python3", Repository.PathOf("tests/peers/python/interop_client.py")],
            ["/usr/bin/python3", Repository.PathOf("tests/peers/python/interop_server.py")]),
        ["Node"] = new(
            "interop-node",
            ["node", Repository.PathOf("artifacts/peers/node/interop-client.js")],
            ["node", Repository.PathOf("artifacts/peers/node/interop-server.js")]),
    };

    /// <summary>Python's server of gRPC's negative HTTP/2 interop tests.</summary>
    public static Peer NegativeHttp2 { get; } = new(
        "http2",
        [],
        ["/usr/bin/python3", Repository.PathOf("tests/peers/python/misbehaving_http2_server.py")]);

    public string Name { get; }

    /// <summary>The command of the client, to be followed by its arguments: ADDR CASE for those written from protos/classic.proto, else flags.</summary>
    public IReadOnlyList<string> Client { get; }

    /// <summary>The command of the server, to be followed by its arguments: ADDR for those written from protos/classic.proto, else flags.</summary>
    public IReadOnlyList<string> Server { get; }

    public static Peer Named(string name) => name switch
    {
        "go" => Go,
        "python" => Python,
        _ => throw new ArgumentException($"\"{name}\" is no peer: go or python.", nameof(name)),
    };

    /// <summary>Builds the peer, once a run. Skips the test when a package that it needs is not installed.</summary>
    public async Task BuildAsync()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "The peers are built with bash and Debian's packages.");
        var build = await _build.Value;
        Assert.SkipWhen(build.ExitCode == MissingPackages, build.Errors);
        Assert.True(build.ExitCode == 0, $"tests/peers/build {Name} ended with {build.ExitCode}: {build.Errors}");
    }
}
