using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Weir.Rpc;

namespace Weir.Interop.Client;

/// <summary>The server that a case is run against.</summary>
/// <param name="Host">Its name or address.</param>
/// <param name="Port">Its port.</param>
/// <param name="UseTls">Whether to connect with TLS.</param>
/// <param name="Roots">The file with the only certificate authorities to trust, PEM; null for the system's.</param>
/// <param name="HostOverride">The name that the server's certificate must have, and the :authority; null for <paramref name="Host"/>.</param>
internal sealed record Target(string Host, int Port, bool UseTls, FileInfo? Roots, string? HostOverride)
{
    public RpcChannel Connect()
    {
        var options = new RpcChannelOptions { Authority = HostOverride };
        if (UseTls)
            options.Tls = Tls();
        var host = Host.Contains(':', StringComparison.Ordinal) ? $"[{Host}]" : Host;
        return RpcChannel.ForAddress($"{(UseTls ? "https" : "http")}://{host}:{Port}", options);
    }

    private SslClientAuthenticationOptions Tls()
    {
        var tls = new SslClientAuthenticationOptions { TargetHost = HostOverride ?? Host };
        if (Roots is null)
            return tls;
        tls.CertificateChainPolicy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        tls.CertificateChainPolicy.CustomTrustStore.ImportFromPemFile(Roots.FullName);
        return tls;
    }
}
