using System.Security.Cryptography.X509Certificates;

namespace Weir.Rpc;

/// <summary>Who a client showed itself to be when its connection was made (mTLS). The server's TLS settings have accepted it before a call sees it.
/// Immutable; the certificates belong to the connection and must not be disposed of.</summary>
public sealed class ClientIdentity
{
    /// <summary>Creates the identity of a certificate.</summary>
    /// <param name="certificate">The client's own certificate.</param>
    /// <param name="chain">The certificates that lead from it to the trusted root, itself first. Default: only itself.</param>
    public ClientIdentity(X509Certificate2 certificate, IReadOnlyList<X509Certificate2>? chain = null)
    {
        ArgumentNullException.ThrowIfNull(certificate);
        Certificate = certificate;
        Chain = chain is { Count: > 0 } ? chain : [certificate];
    }

    /// <summary>The client's own certificate.</summary>
    public X509Certificate2 Certificate { get; }

    /// <summary>The certificates that lead from it to the trusted root, itself first; only itself where the server did not keep the others.</summary>
    public IReadOnlyList<X509Certificate2> Chain { get; }
}
