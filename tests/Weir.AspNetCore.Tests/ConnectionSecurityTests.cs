using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using Weir.Http2.Transport;
using Weir.Rpc;

namespace Weir.AspNetCore.Tests;

/// <summary>A channel and Kestrel with certificates of a private authority on both ends, Unix sockets, no socket at all, and the system's timeout.</summary>
public sealed class ConnectionSecurityTests : IDisposable
{
    private static readonly DateTime Day = new(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc);
    private readonly TestAuthority _authority = new();
    private readonly FakeTimeProvider _time = new();

    public void Dispose() => _authority.Dispose();

    [Theory]
    [InlineData(ClientCertificateMode.RequireCertificate, true)]
    [InlineData(ClientCertificateMode.AllowCertificate, true)]
    [InlineData(ClientCertificateMode.AllowCertificate, false)]
    [InlineData(ClientCertificateMode.RequireCertificate, false)]
    public async Task A_client_shows_its_certificate_and_the_handler_sees_who_it_is(ClientCertificateMode mode, bool shows)
    {
        _authority.Issue("server", "weir.test", Day);
        _authority.Issue("client", "alice", Day);
        await using var app = await StartAsync(https => https.ClientCertificateMode = mode);
        await using var channel = Connect(app, tls =>
        {
            if (shows)
                tls.LocalCertificateSelectionCallback = Select("client");
        });
        if (!shows && mode == ClientCertificateMode.RequireCertificate)
        {
            var error = await Assert.ThrowsAsync<RpcException>(() => WhoService.AskAsync(channel));
            Assert.Equal(StatusCode.Unavailable, error.StatusCode);
        }
        else
        {
            Assert.Equal(shows ? "127.0.0.1 < CN=alice < CN=test root" : "127.0.0.1", await WhoService.AskAsync(channel));
        }
    }

    [Fact]
    public async Task Certificates_of_both_ends_are_renewed_without_a_restart()
    {
        _authority.Issue("server", "weir.test", Day);
        _authority.Issue("client", "alice", Day);
        List<string> serials = [];
        await using var app = await StartAsync(https => https.ClientCertificateMode = ClientCertificateMode.RequireCertificate);
        var select = Select("client");
        RpcChannel Again() => Connect(app, tls =>
        {
            tls.LocalCertificateSelectionCallback = select;
            tls.RemoteCertificateValidationCallback = (_, certificate, _, errors) =>
            {
                serials.Add(certificate!.GetSerialNumberString());
                return errors == SslPolicyErrors.None;
            };
        });
        await using (var channel = Again())
            Assert.Equal("127.0.0.1 < CN=alice < CN=test root", await WhoService.AskAsync(channel));
        _authority.Issue("server", "weir.test", Day.AddDays(1));
        _authority.Issue("client", "bob", Day.AddDays(1));
        _time.Advance(TimeSpan.FromSeconds(1));
        await using (var channel = Again())
            Assert.Equal("127.0.0.1 < CN=bob < CN=test root", await WhoService.AskAsync(channel));
        Assert.Equal(2, serials.Distinct().Count());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_client_that_knows_the_root_alone_is_shown_the_certificates_between(bool shows)
    {
        _authority.IssueIndirectly("server", "weir.test", Day);
        var file = new CertificateFile(_authority.PathOf("server"), timeProvider: _time);
        var authenticated = 0;
        await using var app = await StartAsync(https =>
        {
            https.OnAuthenticate = (_, _) => authenticated++;
            if (shows)
                https.UseCertificateFile(file);
        });
        await using var channel = Connect(app, _ => { });
        if (!shows)
        {
            Assert.Equal(StatusCode.Unavailable, (await Assert.ThrowsAsync<RpcException>(() => WhoService.AskAsync(channel))).StatusCode);
            return;
        }

        Assert.Equal("127.0.0.1", await WhoService.AskAsync(channel));
        _authority.IssueIndirectly("server", "weir.test", Day.AddDays(1)); // another authority between
        _time.Advance(TimeSpan.FromSeconds(1));
        await using var again = Connect(app, _ => { });
        Assert.Equal("127.0.0.1", await WhoService.AskAsync(again));
        Assert.Equal(2, authenticated);
        Assert.Equal(["CN=weir.test", "CN=test between"], new[] { file.Current.Subject, Assert.Single(file.Context.IntermediateCertificates, known => known.Subject != "CN=test root").Subject });
    }

    [Theory]
    [InlineData("other.test", true)]
    [InlineData("weir.test", false)]
    public async Task A_server_of_another_name_or_authority_is_refused(string name, bool trusted)
    {
        _authority.Issue("server", "weir.test", Day);
        await using var app = await StartAsync(_ => { });
        await using var channel = Connect(app, tls =>
        {
            tls.TargetHost = name;
            if (!trusted)
                tls.CertificateChainPolicy = null;
        });
        Assert.Equal(StatusCode.Unavailable, (await Assert.ThrowsAsync<RpcException>(() => WhoService.AskAsync(channel))).StatusCode);
    }

    [Fact]
    public void A_certificate_file_keeps_what_it_has_while_the_files_are_no_good()
    {
        var path = _authority.Issue("c", "first", Day);
        var file = new CertificateFile(path, timeProvider: _time);
        Assert.Equal("CN=first", file.Current.Subject);
        Assert.True(file.Current.HasPrivateKey);
        _authority.Issue("c", "second", Day.AddDays(1));
        Assert.Equal("CN=first", file.Current.Subject); // looked at a moment ago
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal("CN=second", file.Current.Subject);
        File.WriteAllText(path, "half a certificate");
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal("CN=second", file.Current.Subject);
        Assert.IsAssignableFrom<CryptographicException>(file.LastFailure);
        _authority.Issue("c", "third", Day.AddDays(2));
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal("CN=third", file.Current.Subject);
        Assert.Null(file.LastFailure);
        Assert.ThrowsAny<IOException>(() => new CertificateFile(_authority.PathOf("missing")));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_unix_socket_serves_with_and_without_tls(bool tls)
    {
        _authority.Issue("server", "weir.test", Day);
        var path = _authority.PathOf("socket");
        await using var app = await ListenAsync(kestrel => kestrel.ListenUnixSocket(path, listen =>
        {
            if (tls)
                listen.UseHttps(https => https.ServerCertificateSelector = Serve("server")).UseWeir();
        }));
        await using var channel = RpcChannel.ForAddress($"unix://{path}", new RpcChannelOptions
        {
            Tls = tls ? new SslClientAuthenticationOptions { TargetHost = "weir.test", CertificateChainPolicy = _authority.Policy } : null,
        });
        Assert.Equal("unix", await WhoService.AskAsync(channel));
    }

    [Fact]
    public async Task A_web_applications_services_are_called_without_a_network()
    {
        await using var app = Build(_ => { });
        await using var host = InProcessRpc.Start(app.Services.GetRequiredService<RpcServer>());
        Assert.Equal("in-process", await WhoService.AskAsync(host.Channel));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task An_http2_connection_has_the_keepalive_timeout_as_its_user_timeout(bool on)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "TCP_USER_TIMEOUT is Linux's.");
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        using var client = new TcpClient();
        await client.ConnectAsync((IPEndPoint)listener.LocalEndpoint, TestContext.Current.CancellationToken);
        using var socket = await listener.AcceptSocketAsync(TestContext.Current.CancellationToken);
        await client.GetStream().WriteAsync(Http2Preface.Octets.ToArray(), TestContext.Current.CancellationToken);
        var options = new WeirOptions();
        options.Rpc.Http2.KeepAliveTimeout = TimeSpan.FromSeconds(7);
        options.Rpc.Http2.KeepAliveTime = on ? null : Timeout.InfiniteTimeSpan;
        var server = new FakeConnectionServer();
        server.BeginDrain();
        var connections = new WeirConnections(server, new OpenConnections(), Options.Create(options), TimeProvider.System, NullLogger<WeirConnections>.Instance);
        var connection = new DefaultConnectionContext("1") { Transport = new SocketPipe(socket), RemoteEndPoint = socket.RemoteEndPoint };
        connection.Features.Set<IConnectionSocketFeature>(new SocketFeature(socket));
        await connections.OnConnectedAsync(connection, _ => throw new InvalidOperationException("not HTTP/1.1"));
        Assert.Equal(on ? TimeSpan.FromSeconds(7) : TimeSpan.Zero, TcpUserTimeout.Get(socket));
    }

    private RpcChannel Connect(WebApplication app, Action<SslClientAuthenticationOptions> configure)
    {
        var tls = new SslClientAuthenticationOptions { TargetHost = "weir.test", CertificateChainPolicy = _authority.Policy };
        configure(tls);
        return RpcChannel.ForAddress(app.Urls.Single(), new RpcChannelOptions { Tls = tls });
    }

    private Func<ConnectionContext?, string?, X509Certificate2?> Serve(string name)
    {
        var file = new CertificateFile(_authority.PathOf(name), timeProvider: _time);
        return (_, _) => file.Current;
    }

    private LocalCertificateSelectionCallback Select(string name)
    {
        var file = new CertificateFile(_authority.PathOf(name), timeProvider: _time);
        return (_, _, _, _, _) => file.Current;
    }

    private Task<WebApplication> StartAsync(Action<HttpsConnectionAdapterOptions> configure) =>
        ListenAsync(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen => listen.UseHttps(https =>
        {
            https.ServerCertificateSelector = Serve("server");
            https.ClientCertificateValidation = (certificate, chain, _) => _authority.Accepts(certificate, chain);
            configure(https);
            https.KeepClientChain();
        }).UseWeir()));

    private static async Task<WebApplication> ListenAsync(Action<KestrelServerOptions> listen)
    {
        var app = Build(listen);
        await app.StartAsync(TestContext.Current.CancellationToken);
        return app;
    }

    private static WebApplication Build(Action<KestrelServerOptions> listen)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelHttpsConfiguration().ConfigureKestrel(listen);
        builder.AddWeir();
        var app = builder.Build();
        app.MapRpc<WhoService>();
        return app;
    }

    private sealed record SocketFeature(Socket Socket) : IConnectionSocketFeature;
}
