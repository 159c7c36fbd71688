using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Weir.Rpc;

namespace Weir.AspNetCore;

/// <summary>Brings a client's certificate and its chain from the TLS handshake to the calls of its connection (<see cref="ServerCall.ClientIdentity"/>).</summary>
public static class ClientChain
{
    private static readonly object Key = new();

    // Kestrel tells the check of a certificate everything but whose it is; both happen in the flow of one handshake.
    private static readonly AsyncLocal<ConnectionContext?> Handshaking = new();

    /// <summary>Keeps the chain that was built when a client's certificate was checked. <c>AddWeir</c> does this for the endpoints that it adds TLS to;
    /// for one made in code call it last in <c>UseHttps(https => …)</c>. Without it calls see the certificate alone.</summary>
    public static HttpsConnectionAdapterOptions KeepClientChain(this HttpsConnectionAdapterOptions https)
    {
        ArgumentNullException.ThrowIfNull(https);
        var (authenticate, check) = (https.OnAuthenticate, https.ClientCertificateValidation);
        https.OnAuthenticate = (connection, tls) =>
        {
            Handshaking.Value = connection;
            authenticate?.Invoke(connection, tls);
        };
        https.ClientCertificateValidation = (certificate, chain, errors) =>
        {
            var isGood = check?.Invoke(certificate, chain, errors) ?? errors == SslPolicyErrors.None; // as Kestrel does
            if (isGood && chain is not null && Handshaking.Value is { } connection)
            {
                // Copies: those of the chain are disposed of with it.
                connection.Items[Key] = chain.ChainElements.Select(element => X509CertificateLoader.LoadCertificate(element.Certificate.RawDataMemory.Span)).ToArray();
            }

            return isGood;
        };
        return https;
    }

    /// <summary>Who the client of a connection is; null without a certificate.</summary>
    internal static ClientIdentity? IdentityOf(ConnectionContext connection) =>
        connection.Features.Get<ITlsConnectionFeature>()?.ClientCertificate is { } certificate
            ? new ClientIdentity(certificate, connection.Items.TryGetValue(Key, out var chain) ? (X509Certificate2[]?)chain : null)
            : null;
}
