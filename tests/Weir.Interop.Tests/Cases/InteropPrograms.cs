namespace Weir.Interop.Tests.Cases;

/// <summary>The commands of the clients and servers of gRPC's interop tests. Weir's are built with this project, the others are those of tests/peers.</summary>
internal static class InteropPrograms
{
    // gRPC's own certificates for tests, which Debian packages with grpc-go.
    private const string TestData = "/usr/share/gocode/src/google.golang.org/grpc/testdata/";

    /// <summary>A name that the servers' certificate is for.</summary>
    public const string ServerName = "foo.test.google.fr";

    public static bool HaveCertificates => File.Exists(TestData + "server1.key");

    public static IReadOnlyList<string> ServerTls { get; } =
        ["--use_tls", $"--tls_cert_file={TestData}server1.pem", $"--tls_key_file={TestData}server1.key"];

    public static string[] ClientTls(string serverName) =>
        ["--use_tls", "--use_test_ca", $"--ca_file={TestData}ca.pem", $"--server_host_override={serverName}"];

    public static string[] Client(string name) => Command(name, "Client");

    public static string[] Server(string name) => Command(name, "Server");

    private static string[] Command(string name, string role) => name switch
    {
        "weir" => ["dotnet", Repository.PathOf($"tests/interop/Weir.Interop.{role}/{Repository.InteropPrograms}/Weir.Interop.{role}.dll")],
        "go" => [Repository.PathOf($"artifacts/peers/bin/interop-{(role == "Client" ? "client" : "server")}")],
        "python" => ["/usr/bin/python3", Repository.PathOf($"tests/peers/python/interop_{role.ToLowerInvariant()}.py")],
        _ => throw new ArgumentException($"\"{name}\" has no interop programs: weir, go or python.", nameof(name)),
    };
}
