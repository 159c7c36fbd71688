using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace Weir.AspNetCore.Tests;

public sealed class SniffingTests
{
    [Fact]
    public async Task The_preface_goes_to_Weir_whole_with_what_follows_it()
    {
        await using var app = await TestApp.StartAsync();
        await using var client = new NetworkStream(await app.ConnectAsync(), ownsSocket: true);
        await client.SendAsync(Wire.Preface + "more");
        Assert.Equal("weir", await client.ReceiveAsync(4));
        Assert.Equal(Wire.Preface + "more", await app.Server.Received.Task.Soon());
        Assert.Equal(client.Socket.LocalEndPoint!.ToString()!.Replace("[::ffff:127.0.0.1]", "127.0.0.1", StringComparison.Ordinal), await app.Server.Peer.Task.Soon());
    }

    [Fact]
    public async Task The_preface_byte_by_byte_goes_to_Weir()
    {
        await using var app = await TestApp.StartAsync();
        await using var client = new NetworkStream(await app.ConnectAsync(), ownsSocket: true);
        foreach (var letter in Wire.Preface)
            await client.SendAsync(letter.ToString());
        Assert.Equal("weir", await client.ReceiveAsync(4));
    }

    [Theory]
    [InlineData("GET / HTTP/1.1\r\n", "200 OK")]
    [InlineData("PRI * HTTP/1.1\r\n", "405 Method Not Allowed")]
    [InlineData("POST / HTTP/1.1\r\nContent-Length: 0\r\n", "405 Method Not Allowed")]
    public async Task Anything_else_goes_to_AspNetCore_untouched(string request, string status)
    {
        await using var app = await TestApp.StartAsync();
        await using var client = new NetworkStream(await app.ConnectAsync(), ownsSocket: true);
        foreach (var letter in request)
            await client.SendAsync(letter.ToString());
        await client.SendAsync("Host: x\r\nConnection: close\r\n\r\n");
        Assert.StartsWith("HTTP/1.1 " + status, await client.ReceiveAllAsync(), StringComparison.Ordinal);
        Assert.False(app.Server.Peer.Task.IsCompleted);
    }

    [Theory]
    [InlineData("")]
    [InlineData("PRI * HTTP/2.0\r\n\r\nSM\r\n\r")]
    public async Task A_connection_without_a_whole_preface_is_closed_after_the_handshake_timeout(string beginning)
    {
        var time = new FakeTimeProvider();
        await using var app = await TestApp.StartAsync(configure: builder => builder.Services.AddSingleton<TimeProvider>(time));
        await using var client = new NetworkStream(await app.ConnectAsync(), ownsSocket: true);
        await client.SendAsync(beginning);
        var end = EndAsync(client);
        time.Advance(TimeSpan.FromSeconds(9));
        Assert.False(end.IsCompleted);
        while (!end.IsCompleted)
        {
            time.Advance(TimeSpan.FromSeconds(1)); // again and again: the connection may be accepted only now
            await Task.WhenAny(end, Task.Delay(5, TestContext.Current.CancellationToken));
        }

        await end.Soon();
        Assert.False(app.Server.Peer.Task.IsCompleted);
    }

    [Fact]
    public async Task A_client_that_leaves_in_the_middle_of_the_preface_is_forgotten()
    {
        await using var app = await TestApp.StartAsync();
        await using (var client = new NetworkStream(await app.ConnectAsync(), ownsSocket: true))
            await client.SendAsync("PRI * HTT");
        await using var next = new NetworkStream(await app.ConnectAsync(), ownsSocket: true);
        await next.SendAsync(Wire.Preface);
        Assert.Equal("weir", await next.ReceiveAsync(4));
        Assert.Empty(app.Logs.Warnings);
    }

    [Fact]
    public async Task A_plaintext_endpoint_starts_without_a_warning()
    {
        await using var app = await TestApp.StartAsync();
        Assert.Empty(app.Logs.Warnings);
    }

    [Fact]
    public async Task A_unix_socket_serves_both()
    {
        var path = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
        await using var app = await TestApp.StartAsync($"http://unix:{path}");
        foreach (var (request, count, answer) in new[] { (Wire.Preface, 4, "weir"), (Wire.Get, 15, "HTTP/1.1 200 OK") })
        {
            var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), TestContext.Current.CancellationToken);
            await using var client = new NetworkStream(socket, ownsSocket: true);
            await client.SendAsync(request);
            Assert.Equal(answer, await client.ReceiveAsync(count));
        }

        Assert.Equal("unix", await app.Server.Peer.Task);
    }

    [Fact]
    public async Task An_endpoint_made_in_code_serves_both()
    {
        await using var app = await TestApp.StartAsync(urls: null, builder => builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0)));
        await using var client = new NetworkStream(await app.ConnectAsync(), ownsSocket: true);
        await client.SendAsync(Wire.Get);
        Assert.Contains("aspnet", await client.ReceiveAllAsync(), StringComparison.Ordinal);
        await using var other = new NetworkStream(await app.ConnectAsync(), ownsSocket: true);
        await other.SendAsync(Wire.Preface);
        Assert.Equal("weir", await other.ReceiveAsync(4));
    }

    private static async Task EndAsync(NetworkStream client)
    {
        try
        {
            Assert.Equal(0, await client.ReadAsync(new byte[1], TestContext.Current.CancellationToken));
        }
        catch (IOException)
        {
            // a reset is an end too
        }
    }
}
