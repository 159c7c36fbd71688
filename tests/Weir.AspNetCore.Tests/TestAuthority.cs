using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Weir.AspNetCore.Tests;

/// <summary>An authority of a test's own, with a folder for what it issues.</summary>
internal sealed class TestAuthority : IDisposable
{
    private static readonly DateTimeOffset Now = DateTimeOffset.UtcNow;
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("weir-tls-");
    private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    public TestAuthority()
    {
        var request = new CertificateRequest("CN=test root", _key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, false, 0, critical: true));
        Root = request.CreateSelfSigned(Now.AddDays(-1), Now.AddDays(1));
    }

    public X509Certificate2 Root { get; }

    /// <summary>Trusts this authority and no other.</summary>
    public X509ChainPolicy Policy => new()
    {
        TrustMode = X509ChainTrustMode.CustomRootTrust,
        CustomTrustStore = { Root },
        RevocationMode = X509RevocationMode.NoCheck,
    };

    public bool Accepts(X509Certificate2 certificate, X509Chain? chain)
    {
        chain!.ChainPolicy = Policy;
        return chain.Build(certificate);
    }

    /// <summary>Issues a certificate for a name, as a PEM file with its key; the time is the file's, so that a rewrite in the same instant is seen.</summary>
    public string Issue(string file, string name, DateTime time) => Issue(file, name, time, Root, "");

    private string Issue(string file, string name, DateTime time, X509Certificate2 issuer, string behind)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(name);
        request.CertificateExtensions.Add(names.Build());
        using var certificate = request.Create(issuer, Now.AddHours(-1), Now.AddHours(1), RandomNumberGenerator.GetBytes(8));
        var path = Path.Combine(_folder.FullName, file);
        File.WriteAllText(path, certificate.ExportCertificatePem() + behind + "\n" + key.ExportPkcs8PrivateKeyPem());
        File.SetLastWriteTimeUtc(path, time);
        return path;
    }

    /// <summary>Issues a certificate for a name by way of another authority, whose certificate is behind it in the file.</summary>
    public string IssueIndirectly(string file, string name, DateTime time)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=test between", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, false, 0, critical: true));
        using var between = request.Create(Root, Now.AddHours(-2), Now.AddHours(2), RandomNumberGenerator.GetBytes(8));
        using var issuer = between.CopyWithPrivateKey(key);
        return Issue(file, name, time, issuer, "\n" + between.ExportCertificatePem());
    }

    public string PathOf(string file) => Path.Combine(_folder.FullName, file);

    public void Dispose()
    {
        Root.Dispose();
        _key.Dispose();
        _folder.Delete(recursive: true);
    }
}
