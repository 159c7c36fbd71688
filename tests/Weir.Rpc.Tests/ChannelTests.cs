using System.IO.Pipelines;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Weir.Http2;
using Weir.Http2.Transport;
using Weir.Rpc.Tests.Support;

namespace Weir.Rpc.Tests;

public sealed class ChannelTests
{
    [Fact]
    public async Task Nothing_connects_before_the_first_call_and_waiting_calls_share_the_connection()
    {
        var go = new TaskCompletionSource();
        TestHost? host = null;
        await using var disposed = host = new TestHost(channel: channel => channel.ConnectTransport = async token =>
        {
            await go.Task;
            return await host!.ConnectAsync(token);
        });
        host.Service.OnUnary = (request, _) => ValueTask.FromResult(request);
        Assert.Equal(0, host.Connections);
        var calls = Enumerable.Range(0, 50).Select(i => host.Unary($"{i}").AsTask()).ToArray();
        go.SetResult();
        await Task.WhenAll(calls).SoonAsync();
        Assert.Equal(1, host.Connections);
    }

    [Fact]
    public async Task Sends_before_the_connection_go_out_in_their_order()
    {
        var go = new TaskCompletionSource();
        TestHost? host = null;
        await using var disposed = host = new TestHost(channel: channel => channel.ConnectTransport = async token =>
        {
            await go.Task;
            return await host!.ConnectAsync(token);
        });
        host.Service.OnClient = async (requests, _) => string.Join(',', await requests.ToListAsync());
        await using var call = host.ClientStream();
        Assert.False(call.TrySend("no room yet"));
        using var source = new CancellationTokenSource();
        var cancelled = call.SendAsync("cancelled", source.Token).AsTask();
        var sends = Enumerable.Range(0, 100).Select(i => call.SendAsync($"{i}").AsTask()).ToArray();
        await source.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cancelled.SoonAsync());
        var answer = call.CompleteAsync();
        go.SetResult();
        await Task.WhenAll(sends).SoonAsync();
        Assert.Equal(string.Join(',', Enumerable.Range(0, 100)), await answer.SoonAsync());
    }

    [Fact]
    public async Task A_channel_that_cannot_connect_says_why_until_it_can()
    {
        var listener = new Socket(SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        var port = ((IPEndPoint)listener.LocalEndPoint!).Port; // bound and not listening: nobody else gets it, connecting is refused
        await using var channel = RpcChannel.ForAddress($"http://127.0.0.1:{port}");
        for (var i = 0; i < 2; i++)
        {
            var error = await channel.Unary(TestService.UnaryMethod, "", default, default).AsTask().FailsAsync(StatusCode.Unavailable);
            Assert.Equal($"cannot connect to 127.0.0.1:{port}: Connection refused", error.Status.Detail);
        }

        await using var host = new TestHost();
        host.Service.OnUnary = (request, _) => ValueTask.FromResult(request);
        listener.Listen();
        var serving = ServeOneAsync(listener, host.Server);
        channel.ResetConnectBackoff();
        Assert.Equal("x", await channel.Unary(TestService.UnaryMethod, "x", new CallOptions { WaitForReady = true }, default).SoonAsync());
        await channel.DisposeAsync().SoonAsync();
        await serving.SoonAsync();
        listener.Dispose();
    }

    [Fact]
    public async Task A_channel_connects_to_a_unix_socket()
    {
        var path = Path.Combine(Path.GetTempPath(), $"weir-{Guid.NewGuid():N}.sock");
        using var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(path));
        listener.Listen();
        await using var host = new TestHost();
        host.Service.OnUnary = (request, _) => ValueTask.FromResult(request);
        var serving = ServeOneAsync(listener, host.Server);
        await using (var channel = RpcChannel.ForAddress($"unix:{path}"))
        {
            Assert.Equal("x", await channel.Unary(TestService.UnaryMethod, "x", default, default).SoonAsync());
        }

        await serving.SoonAsync();
        File.Delete(path);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_channel_connects_with_tls_to_a_server_that_agrees_on_h2(bool agrees)
    {
        using var key = RSA.Create(2048);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        using var certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        using var listener = new Socket(SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        await using var host = new TestHost();
        host.Service.OnUnary = (text, _) => ValueTask.FromResult(text);
        var serving = Task.Run(async () =>
        {
            await using var stream = new SslStream(new NetworkStream(await listener.AcceptAsync(), ownsSocket: true));
            await stream.AuthenticateAsServerAsync(new SslServerAuthenticationOptions
            {
                ServerCertificate = certificate,
                ApplicationProtocols = agrees ? [SslApplicationProtocol.Http2] : null,
            });
            await host.Server.ServeAsync(new PipePair.End(PipeReader.Create(stream), PipeWriter.Create(stream)), "tls");
        });
        var options = new RpcChannelOptions { Tls = new SslClientAuthenticationOptions { RemoteCertificateValidationCallback = (_, seen, _, _) => seen!.GetCertHashString() == certificate.GetCertHashString() } };
        await using (var channel = RpcChannel.ForAddress($"https://localhost:{((IPEndPoint)listener.LocalEndPoint!).Port}", options))
        {
            var call = channel.Unary(TestService.UnaryMethod, "x", default, default).AsTask();
            if (agrees)
            {
                Assert.Equal("x", await call.SoonAsync());
            }
            else
            {
                Assert.Contains("the server did not agree on HTTP/2 (ALPN \"h2\")", (await call.FailsAsync(StatusCode.Unavailable)).Status.Detail, StringComparison.Ordinal);
            }
        }

        await serving.SoonAsync();
    }

    [Fact]
    public async Task Connecting_takes_no_longer_than_its_limit()
    {
        await using var host = new TestHost(channel: channel =>
        {
            channel.ConnectTimeout = channel.Backoff.Initial = TimeSpan.FromMilliseconds(50);
            channel.ConnectTransport = _ => new ValueTask<IDuplexPipe>(new PipePair().Client); // nobody answers
        });
        var error = await host.Unary("").AsTask().FailsAsync(StatusCode.Unavailable);
        Assert.Equal("cannot connect to in-process:80: not connected after 0.05 s (ConnectTimeout)", error.Status.Detail);
    }

    [Fact]
    public async Task A_server_that_is_no_http2_server_is_Unavailable()
    {
        await using var host = new TestHost(channel: channel => channel.ConnectTransport = async token =>
        {
            var pair = new PipePair();
            await pair.Server.Output.WriteAsync("HTTP/1.1 400 Bad Request\r\n\r\n"u8.ToArray(), token);
            await pair.Server.Output.CompleteAsync();
            return pair.Client;
        });
        await host.Unary("").AsTask().FailsAsync(StatusCode.Unavailable);
    }

    [Fact]
    public async Task A_connection_that_was_lost_is_replaced_at_the_next_call()
    {
        await using var host = new TestHost();
        host.Service.OnUnary = (request, _) => ValueTask.FromResult(request);
        for (var i = 1; i <= 3; i++)
        {
            while (true) // a call may meet the connection before its loss is noticed
            {
                try
                {
                    Assert.Equal("x", await host.Unary("x").SoonAsync());
                    break;
                }
                catch (RpcException error) when (error.StatusCode == StatusCode.Unavailable)
                {
                }
            }

            Assert.Equal(i, host.Connections);
            host.Cut();
        }
    }

    [Fact]
    public async Task More_streams_than_the_server_allows_open_further_connections_and_then_wait()
    {
        await using var host = new TestHost(server => server.Http2.MaxConcurrentStreams = 2, channel => channel.MaxConnections = 2);
        var go = new TaskCompletionSource();
        var running = 0;
        host.Service.OnUnary = async (request, _) =>
        {
            Interlocked.Increment(ref running);
            await go.Task;
            return request;
        };
        var calls = Enumerable.Range(0, 20).Select(i => host.Unary($"{i}").AsTask()).ToArray();
        while (Volatile.Read(ref running) < 4)
        {
            await Task.Yield();
        }

        using var source = new CancellationTokenSource();
        var waiting = host.Unary("", default, source.Token).AsTask();
        await source.CancelAsync();
        await waiting.FailsAsync(StatusCode.Cancelled);
        Assert.Equal(4, Volatile.Read(ref running));
        go.SetResult();
        await Task.WhenAll(calls).SoonAsync();
        Assert.Equal(2, host.Connections);
    }

    [Fact]
    public async Task The_number_of_waiting_calls_is_limited()
    {
        var go = new TaskCompletionSource();
        TestHost? host = null;
        await using var disposed = host = new TestHost(channel: channel =>
        {
            channel.MaxWaitingCalls = 2;
            channel.ConnectTransport = async token =>
            {
                await go.Task;
                return await host!.ConnectAsync(token);
            };
        });
        host.Service.OnUnary = (request, _) => ValueTask.FromResult(request);
        var waiting = new[] { host.Unary("0").AsTask(), host.Unary("1").AsTask() };
        var error = await host.Unary("").AsTask().FailsAsync(StatusCode.ResourceExhausted);
        Assert.Equal("2 calls wait for a connection already; the limit is 2 (MaxWaitingCalls)", error.Status.Detail);
        go.SetResult();
        await Task.WhenAll(waiting).SoonAsync();
    }

    [Fact]
    public async Task A_server_that_ends_every_connection_before_a_call_is_Unavailable_and_not_connected_to_forever()
    {
        var connections = 0;
        await using var server = new RawServer((_, _) => () => { }, channel: channel => channel.ConnectTransport = async token =>
        {
            Interlocked.Increment(ref connections);
            var pair = new PipePair();
            // SETTINGS, then GOAWAY with NO_ERROR and no stream.
            await pair.Server.Output.WriteAsync(new byte[] { 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 }, token);
            await pair.Server.Output.CompleteAsync();
            return pair.Client;
        });
        await server.Unary().AsTask().FailsAsync(StatusCode.Unavailable);
        Assert.InRange(connections, 1, 8); // up to MaxConnections at once, not one after the other
    }

    [Fact]
    public async Task Disposing_of_the_channel_cancels_open_and_waiting_calls_and_refuses_new_ones()
    {
        await using var host = new TestHost(server => server.Http2.MaxConcurrentStreams = 1, channel => channel.MaxConnections = 1);
        var (started, cancelled) = (new TaskCompletionSource(), new TaskCompletionSource());
        host.Service.OnUnary = async (_, call) =>
        {
            started.SetResult();
            await call.CancellationToken.FiredAsync();
            cancelled.SetResult();
            return "";
        };
        var open = host.Unary("").AsTask();
        await started.Task.SoonAsync();
        var waiting = host.Unary("").AsTask();
        await host.Channel.DisposeAsync().SoonAsync();
        Assert.Equal("the channel was disposed", (await open.FailsAsync(StatusCode.Cancelled)).Status.Detail);
        Assert.Equal("the channel was disposed", (await waiting.FailsAsync(StatusCode.Cancelled)).Status.Detail);
        await cancelled.Task.SoonAsync();
        Assert.Throws<ObjectDisposedException>(() => host.Unary(""));
        await host.Channel.DisposeAsync().SoonAsync();
    }

    [Fact]
    public async Task Disposing_of_the_channel_stops_connecting()
    {
        var connecting = new TaskCompletionSource();
        await using var host = new TestHost(channel: channel => channel.ConnectTransport = async token =>
        {
            connecting.SetResult();
            await Task.Delay(Timeout.Infinite, token);
            throw new InvalidOperationException("unreachable");
        });
        var call = host.Unary("").AsTask();
        await connecting.Task.SoonAsync();
        await host.Channel.DisposeAsync().SoonAsync();
        await call.FailsAsync(StatusCode.Cancelled);
    }

    [Fact]
    public async Task Halves_of_large_messages_on_many_streams_do_not_stop_each_other()
    {
        // 64 streams of 300,000-octet messages through windows of 64 KiB: no message fits, and their halves together fill the connection's window.
        static void Narrow(Http2Options options)
        {
            options.ConnectionWindowBytes = 65_535;
            options.StreamWindowBytes = 16_384;
        }

        await using var host = new TestHost(server => Narrow(server.Http2), channel => Narrow(channel.Http2));
        host.Service.OnDuplex = (requests, _) => CallEndTests.Echo(requests);
        await Task.WhenAll(Enumerable.Range(0, 64).Select(async i =>
        {
            var message = new string((char)('a' + (i % 26)), 300_000);
            await using var call = host.Duplex();
            var sending = Task.Run(async () =>
            {
                for (var n = 0; n < 3; n++)
                {
                    await call.SendAsync(message);
                }

                await call.CompleteAsync();
            });
            Assert.Equal([message, message, message], await call.Responses.ToListAsync());
            await sending;
        })).SoonAsync();
    }

    private static async Task ServeOneAsync(Socket listener, RpcServer server)
    {
        var socket = await listener.AcceptAsync();
        await server.ServeAsync(new SocketPipe(socket), "socket");
    }
}
