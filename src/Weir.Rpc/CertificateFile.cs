using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Weir.Rpc;

/// <summary>A certificate with its key in files that somebody renews: read again when the files have changed, so that each handshake has the newest.
/// Safe for use by any number of threads.</summary>
/// <example><code>
/// var file = new CertificateFile("tls.crt", "tls.key");
/// listen.UseHttps(https => https.UseCertificateFile(file));                                     // a server, with Weir.AspNetCore
/// options.Tls = new() { LocalCertificateSelectionCallback = (_, _, _, _, _) => file.Current };  // a client
/// </code></example>
public sealed class CertificateFile
{
    /// <summary>How long the files are taken for unchanged after a look at them.</summary>
    private static readonly TimeSpan LookInterval = TimeSpan.FromSeconds(1);

    private readonly string _certificatePath;
    private readonly string _keyPath;
    private readonly TimeProvider _time;
    private readonly Lock _lock = new();
    private SslStreamCertificateContext _context; // under _lock, as all below
    private (DateTime, DateTime) _readAs;
    private long _lookedAt;
    private Exception? _failure;

    /// <summary>Reads the files.</summary>
    /// <param name="certificatePath">A PEM file with the certificate, and behind it those between it and the root, if there are any.</param>
    /// <param name="keyPath">A PEM file with its key, not encrypted. Default: the same file.</param>
    /// <param name="timeProvider">The time source for how often the files are looked at. Default: the system's.</param>
    /// <exception cref="IOException">A file cannot be read.</exception>
    /// <exception cref="CryptographicException">The files do not hold a certificate and its key.</exception>
    public CertificateFile(string certificatePath, string? keyPath = null, TimeProvider? timeProvider = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(certificatePath);
        (_certificatePath, _keyPath, _time) = (certificatePath, keyPath ?? certificatePath, timeProvider ?? TimeProvider.System);
        _readAs = GetTimes();
        _context = Read();
        _lookedAt = _time.GetTimestamp();
    }

    /// <summary>The newest certificate that could be read, alone. See <see cref="Context"/>.</summary>
    public X509Certificate2 Current => Context.TargetCertificate;

    /// <summary>The newest certificate that could be read, with those between it and the root: what a peer needs that knows the root alone. Looks at the files
    /// at most once a second; what they held before stays when they cannot be read, or only in part, until they can. Certificates are not disposed of,
    /// because handshakes may still use them.</summary>
    public SslStreamCertificateContext Context
    {
        get
        {
            lock (_lock)
            {
                if (_time.GetElapsedTime(_lookedAt) >= LookInterval)
                {
                    _lookedAt = _time.GetTimestamp();
                    ReadIfChanged();
                }

                return _context;
            }
        }
    }

    /// <summary>Why the files could not be read when they were looked at last; null when they could.</summary>
    public Exception? LastFailure
    {
        get
        {
            lock (_lock)
            {
                return _failure;
            }
        }
    }

    private void ReadIfChanged()
    {
        try
        {
            var times = GetTimes();
            if (times != _readAs || _failure is not null)
            {
                _context = Read();
                (_readAs, _failure) = (times, null);
            }
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or CryptographicException)
        {
            _failure = error;
        }
    }

    private (DateTime Certificate, DateTime Key) GetTimes() => (File.GetLastWriteTimeUtc(_certificatePath), File.GetLastWriteTimeUtc(_keyPath));

    private SslStreamCertificateContext Read()
    {
        using var ephemeral = X509Certificate2.CreateFromPemFile(_certificatePath, _keyPath);
        var behind = new X509Certificate2Collection();
        behind.ImportFromPemFile(_certificatePath);
        behind[0].Dispose();
        behind.RemoveAt(0); // the certificate itself

        // Windows' TLS does not take a key that exists in memory only. Offline: what is missing in the file is not asked for on the network.
        return SslStreamCertificateContext.Create(X509CertificateLoader.LoadPkcs12(ephemeral.Export(X509ContentType.Pkcs12), null), behind, offline: true);
    }
}
