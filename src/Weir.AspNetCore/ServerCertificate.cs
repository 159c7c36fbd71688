using Microsoft.AspNetCore.Server.Kestrel.Https;
using Weir.Rpc;

namespace Weir.AspNetCore;

/// <summary>Certificates of endpoints that are made in code.</summary>
public static class ServerCertificate
{
    /// <summary>Shows clients what is in a file: the newest certificate, and those between it and the root, which Kestrel's
    /// <see cref="HttpsConnectionAdapterOptions.ServerCertificateSelector"/> leaves out. Each handshake has what the file holds then.</summary>
    public static HttpsConnectionAdapterOptions UseCertificateFile(this HttpsConnectionAdapterOptions https, CertificateFile file)
    {
        ArgumentNullException.ThrowIfNull(https);
        ArgumentNullException.ThrowIfNull(file);
        var authenticate = https.OnAuthenticate;
        https.ServerCertificateSelector = (_, _) => file.Current; // Kestrel asks for one; it is not used
        https.OnAuthenticate = (connection, tls) =>
        {
            tls.ServerCertificateSelectionCallback = null;
            tls.ServerCertificateContext = file.Context;
            authenticate?.Invoke(connection, tls);
        };
        return https;
    }
}
