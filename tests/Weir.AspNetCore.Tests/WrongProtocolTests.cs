using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;
using Weir.Rpc;

namespace Weir.AspNetCore.Tests;

/// <summary>A channel whose address has the wrong port or scheme says so in the status of its calls.</summary>
public sealed class WrongProtocolTests : IDisposable
{
    private readonly TestAuthority _authority = new();

    public WrongProtocolTests() => _authority.Issue("server", "weir.test", DateTime.UtcNow);

    public void Dispose() => _authority.Dispose();

    [Fact]
    public async Task A_server_of_HTTP_1_is_named_with_its_status_line()
    {
        using var server = new Answering("HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n");
        var error = await FailAsync($"http://127.0.0.1:{server.Port}");
        Assert.Contains("The server answered in HTTP/1.x, not HTTP/2: \"HTTP/1.1 400 Bad Request\". Is it the port of an HTTP/1.1 server", error.Status.Detail, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(HttpProtocols.Http1)]
    [InlineData(HttpProtocols.Http1AndHttp2)] // without TLS Kestrel speaks HTTP/1.1 then
    public async Task A_Kestrel_of_HTTP_1_is_named(HttpProtocols protocols)
    {
        await using var app = await StartAsync(listen => listen.Protocols = protocols);
        var error = await FailAsync(app.Urls.Single());
        Assert.Contains("The server answered that it speaks HTTP/1.1 here, not HTTP/2 (GOAWAY with HTTP_1_1_REQUIRED). Is it the port of an HTTP/1.1 server", error.Status.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_with_TLS_is_named_to_a_client_without()
    {
        using var server = new Answering("\u0015\u0003\u0001\0\u0002\u0002\u0046"); // alert protocol_version, as OpenSSL and Go answer
        var error = await FailAsync($"http://127.0.0.1:{server.Port}");
        Assert.Contains("The server answered with TLS (an alert), but the connection to it is without: should the address begin with https?", error.Status.Detail, StringComparison.Ordinal);

        // Kestrel says nothing.
        await using var app = await StartAsync(listen => listen.UseHttps(https => https.UseCertificateFile(new CertificateFile(_authority.PathOf("server")))).UseWeir());
        error = await FailAsync(app.Urls.Single().Replace("https:", "http:", StringComparison.Ordinal));
        Assert.Contains("The peer closed the connection before it sent anything, as a server with TLS does to a client without: should the address begin with https?", error.Status.Detail, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(HttpProtocols.Http1)]
    [InlineData(HttpProtocols.Http2)]
    public async Task A_server_without_TLS_is_named_to_a_client_with_it(HttpProtocols protocols)
    {
        await using var app = await StartAsync(listen => listen.Protocols = protocols);
        var error = await FailAsync(app.Urls.Single().Replace("http:", "https:", StringComparison.Ordinal));
        Assert.Matches("the server (answered the TLS handshake in HTTP/|ended the connection without an answer to the TLS handshake).*should the address begin with http|.*the address should begin with http,", error.Status.Detail);
    }

    [Theory]
    [InlineData("HTTP/1.1 400 Bad Request\r\n\r\n", "the server answered the TLS handshake in HTTP/1.x: it serves without TLS, and the address should begin with http, or it is another port (")]
    [InlineData("\0\0\u0006\u0004\0\0\0\0\0\0\u0003\0\0\0\u0064", "the server answered the TLS handshake in HTTP/2: it serves without TLS")] // SETTINGS, as grpc-go sends it to everybody
    [InlineData("220 mail.test ESMTP\r\n", "the server answered the TLS handshake with something else: it serves without TLS")]
    [InlineData("", "the server ended the connection without an answer to the TLS handshake: does it serve without TLS, and should the address begin with http? (")]
    [InlineData("\u0015\u0003\u0003\0\u0002\u0002\u0028", null)] // alert handshake_failure: TLS, whose own error tells more
    public async Task What_answers_a_TLS_handshake_is_told_from_its_first_octets(string answer, string? detail)
    {
        using var server = new Answering(answer);
        var error = await FailAsync($"https://127.0.0.1:{server.Port}");
        if (detail is null)
            Assert.DoesNotContain("should", error.Status.Detail, StringComparison.Ordinal);
        else
            Assert.Contains(detail, error.Status.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_certificate_that_is_not_trusted_is_still_the_reason()
    {
        await using var app = await StartAsync(listen => listen.UseHttps(https => https.UseCertificateFile(new CertificateFile(_authority.PathOf("server")))).UseWeir());
        var error = await FailAsync(app.Urls.Single(), authority: null);
        Assert.Contains("certificate", error.Status.Detail, StringComparison.Ordinal);
        Assert.DoesNotContain("should", error.Status.Detail, StringComparison.Ordinal);
        await using var channel = Connect(app.Urls.Single(), _authority);
        Assert.Equal("127.0.0.1", await WhoService.AskAsync(channel));
    }

    private static async Task<WebApplication> StartAsync(Action<ListenOptions> configure)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel =>
        {
            kestrel.ConfigureEndpointDefaults(_ => { }); // without Weir, unless a test says so
            kestrel.Listen(IPAddress.Loopback, 0, configure);
        });
        builder.AddWeir();
        var app = builder.Build();
        app.MapRpc<WhoService>();
        await app.StartAsync(TestContext.Current.CancellationToken);
        return app;
    }

    private static RpcChannel Connect(string address, TestAuthority? authority) => RpcChannel.ForAddress(address, new RpcChannelOptions
    {
        Tls = new SslClientAuthenticationOptions { TargetHost = "weir.test", CertificateChainPolicy = authority?.Policy },
    });

    private async Task<RpcException> FailAsync(string address) => await FailAsync(address, _authority);

    private static async Task<RpcException> FailAsync(string address, TestAuthority? authority)
    {
        await using var channel = Connect(address, authority);
        var error = await Assert.ThrowsAsync<RpcException>(() => WhoService.AskAsync(channel));
        Assert.Equal((StatusCode.Unavailable, error.Message), (error.StatusCode, error.Message));
        return error;
    }

    /// <summary>A server that gives everybody the same octets, one by one, and then nothing more.</summary>
    private sealed class Answering : IDisposable
    {
        private readonly TcpListener _listener = new(IPAddress.Loopback, 0);

        public Answering(string octets)
        {
            _listener.Start();
            _ = ServeAsync(octets); // never fails
        }

        public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

        public void Dispose() => _listener.Dispose();

        private async Task ServeAsync(string octets)
        {
            try
            {
                while (true)
                {
                    using var socket = await _listener.AcceptSocketAsync();
                    var heard = new byte[4096];
                    await socket.ReceiveAsync(heard);
                    foreach (var octet in octets)
                        await socket.SendAsync(new[] { (byte)octet });
                    socket.Shutdown(SocketShutdown.Send);
                    while (await socket.ReceiveAsync(heard) > 0)
                    {
                    }
                }
            }
            catch (Exception error) when (error is SocketException or ObjectDisposedException or InvalidOperationException)
            {
                // Disposed of, or the client was quicker.
            }
        }
    }
}
