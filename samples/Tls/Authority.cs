using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Samples;

/// <summary>A certificate authority of the sample's own; yours are somebody else's files.</summary>
internal sealed class Authority : IDisposable
{
    private static readonly DateTimeOffset Now = DateTimeOffset.UtcNow;
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("weir-sample-");
    private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private readonly X509Certificate2 _root;
    private byte _issued;

    public Authority()
    {
        var request = new CertificateRequest("CN=sample authority", _key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, false, 0, critical: true));
        _root = request.CreateSelfSigned(Now.AddDays(-1), Now.AddDays(1));
    }

    /// <summary>Trusts this authority and no other.</summary>
    public X509ChainPolicy Policy => new()
    {
        TrustMode = X509ChainTrustMode.CustomRootTrust,
        CustomTrustStore = { _root },
        RevocationMode = X509RevocationMode.NoCheck,
    };

    public bool Accepts(X509Certificate2 certificate, X509Chain? chain)
    {
        chain!.ChainPolicy = Policy;
        return chain.Build(certificate);
    }

    /// <summary>Writes a certificate for a name, with its key, as a PEM file.</summary>
    public void Issue(string file, string name)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(name);
        request.CertificateExtensions.Add(names.Build());
        using var certificate = request.Create(_root, Now.AddHours(-1), Now.AddHours(1), [++_issued]);
        File.WriteAllText(PathOf(file), $"{certificate.ExportCertificatePem()}\n{key.ExportPkcs8PrivateKeyPem()}");
    }

    /// <summary>How many were issued up to a certificate.</summary>
    public static int NumberOf(X509Certificate certificate) => certificate.GetSerialNumber()[0];

    public string PathOf(string file) => Path.Combine(_folder.FullName, file);

    public void Dispose()
    {
        _root.Dispose();
        _key.Dispose();
        _folder.Delete(recursive: true);
    }
}
