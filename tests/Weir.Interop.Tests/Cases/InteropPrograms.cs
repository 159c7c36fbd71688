namespace Weir.Interop.Tests.Cases;

/// <summary>The commands of the clients and servers of gRPC's interop tests. Weir's are built with this project, the others from tests/peers.</summary>
internal static class InteropPrograms
{
    public const string Weir = "Weir";

    // gRPC's own certificates for tests, which Debian packages with grpc-go.
    private const string TestData = "/usr/share/gocode/src/google.golang.org/grpc/testdata/";

    /// <summary>A name that the servers' certificate is for.</summary>
    public const string ServerName = "foo.test.google.fr";

    public static bool HaveCertificates => File.Exists(TestData + "server1.key");

    public static IReadOnlyList<string> ServerTls { get; } =
        ["--use_tls", $"--tls_cert_file={TestData}server1.pem", $"--tls_key_file={TestData}server1.key"];

    public static string[] ClientTls(string serverName) =>
        ["--use_tls", "--use_test_ca", $"--ca_file={TestData}ca.pem", $"--server_host_override={serverName}"];

    public static IReadOnlyList<string> Client(string name) => name == Weir ? Own("Client") : Peer.Interop[name].Client;

    public static IReadOnlyList<string> Server(string name) => name == Weir ? Own("Server") : Peer.Interop[name].Server;

    private static string[] Own(string role) =>
        ["dotnet", Repository.PathOf($"tests/interop/Weir.Interop.{role}/{Repository.InteropPrograms}/Weir.Interop.{role}.dll")];
}
