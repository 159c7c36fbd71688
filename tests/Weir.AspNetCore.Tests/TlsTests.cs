using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;

namespace Weir.AspNetCore.Tests;

public sealed class TlsTests : IDisposable
{
    private static readonly List<SslApplicationProtocol> Grpc = [SslApplicationProtocol.Http2];
    private static readonly List<SslApplicationProtocol> Browser = [SslApplicationProtocol.Http2, SslApplicationProtocol.Http11];

    private readonly X509Certificate2 _certificate = CreateCertificate();
    private readonly string _file = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());

    public TlsTests() => File.WriteAllBytes(_file, _certificate.Export(X509ContentType.Pkcs12));

    public void Dispose()
    {
        _certificate.Dispose();
        File.Delete(_file);
    }

    [Fact]
    public async Task An_https_url_serves_both()
    {
        await using var app = await TestApp.StartAsync("https://127.0.0.1:0", builder => builder.Configuration["Kestrel:Certificates:Default:Path"] = _file);
        await AssertServesBothAsync(app);
    }

    [Fact]
    public async Task An_https_url_beside_an_http_url_serves_both()
    {
        using var reserved = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        reserved.Bind(new IPEndPoint(IPAddress.Loopback, 0)); // and not listening: nobody else gets the port, and Kestrel, which asks for it, may have it
        var port = ((IPEndPoint)reserved.LocalEndPoint!).Port;
        await using var app = await TestApp.StartAsync(
            $"http://127.0.0.1:{port};https://127.0.0.1:0", builder => builder.Configuration["Kestrel:Certificates:Default:Path"] = _file);
        await AssertServesBothAsync(app);
        await using var plain = new NetworkStream(await app.ConnectAsync(), ownsSocket: true);
        await plain.SendAsync(Wire.Preface);
        Assert.Equal("weir", await plain.ReceiveAsync(4));
    }

    [Fact]
    public async Task An_https_endpoint_of_the_configuration_serves_both()
    {
        await using var app = await TestApp.StartAsync(urls: null, builder => builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Kestrel:Endpoints:Secure:Url"] = "https://127.0.0.1:0",
            ["Kestrel:Endpoints:Secure:Certificate:Path"] = _file,
            ["Kestrel:Endpoints:Plain:Url"] = "http://127.0.0.1:0",
        }));
        await AssertServesBothAsync(app);
    }

    [Fact]
    public async Task An_https_endpoint_made_in_code_serves_both()
    {
        await using var app = await TestApp.StartAsync(urls: null, builder => builder.WebHost.ConfigureKestrel(kestrel =>
            kestrel.Listen(IPAddress.Loopback, 0, listen => listen.UseHttps(_certificate).UseWeir())));
        Assert.Equal("weir", await ExchangeAsync(app, Grpc, SslApplicationProtocol.Http2, Wire.Preface, 4));
        Assert.Equal("HTTP/1.1 200 OK", await ExchangeAsync(app, [SslApplicationProtocol.Http11], SslApplicationProtocol.Http11, Wire.Get, 15));
    }

    [Fact]
    public async Task An_http_and_an_https_url_on_port_0_cannot_be_told_apart()
    {
        var error = await Assert.ThrowsAsync<InvalidOperationException>(() => TestApp.StartAsync("http://127.0.0.1:0;https://127.0.0.1:0"));
        Assert.StartsWith("An http and an https address have the same port", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_endpoint_with_Sni_is_refused()
    {
        var error = await Assert.ThrowsAsync<InvalidOperationException>(() => TestApp.StartAsync(urls: null, builder => builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Kestrel:Endpoints:Secure:Url"] = "https://127.0.0.1:0",
            ["Kestrel:Endpoints:Secure:Sni:a.example:Certificate:Path"] = _file,
        })));
        Assert.StartsWith("Kestrel:Endpoints:Secure: ", error.Message, StringComparison.Ordinal);
    }

    private async Task AssertServesBothAsync(TestApp app)
    {
        Assert.Equal("weir", await ExchangeAsync(app, Grpc, SslApplicationProtocol.Http2, Wire.Preface, 4));
        // A browser knows both and must get ASP.NET Core.
        Assert.Equal("HTTP/1.1 200 OK", await ExchangeAsync(app, Browser, SslApplicationProtocol.Http11, Wire.Get, 15));
        Assert.Equal("HTTP/1.1 200 OK", await ExchangeAsync(app, [], default, Wire.Get, 15));
        Assert.Empty(app.Logs.Warnings);
    }

    private async Task<string> ExchangeAsync(TestApp app, List<SslApplicationProtocol> offer, SslApplicationProtocol expected, string request, int count)
    {
        await using var client = new SslStream(new NetworkStream(await app.ConnectAsync("https"), ownsSocket: true));
        await client.AuthenticateAsClientAsync(
            new SslClientAuthenticationOptions
            {
                TargetHost = "localhost",
                ApplicationProtocols = offer.Count > 0 ? offer : null,
                EnabledSslProtocols = SslProtocols.None,
                RemoteCertificateValidationCallback = (_, offered, _, _) => offered?.GetCertHashString() == _certificate.Thumbprint,
            },
            TestContext.Current.CancellationToken);
        Assert.Equal(expected, client.NegotiatedApplicationProtocol);
        await client.SendAsync(request);
        return await client.ReceiveAsync(count);
    }

    private static X509Certificate2 CreateCertificate()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
        var now = DateTimeOffset.UtcNow;
        using var ephemeral = request.CreateSelfSigned(now.AddDays(-1), now.AddDays(1));
        return X509CertificateLoader.LoadPkcs12(ephemeral.Export(X509ContentType.Pkcs12), null, X509KeyStorageFlags.Exportable);
    }
}
