using Weir.Rpc.Tests.Support;

namespace Weir.Rpc.Tests;

public sealed class InProcessTests
{
    [Fact]
    public async Task A_service_is_called_through_memory_and_its_object_is_shared()
    {
        var service = new TestService { OnUnary = (request, call) => ValueTask.FromResult($"{request} from {call.Peer}") };
        service.OnDuplex = (requests, _) => requests;
        await using var host = InProcessRpc.Start(service, new RpcServerOptions { MaxReceiveMessageBytes = 10 }, channel => channel.Authority = "somebody");
        Assert.Equal("hello from in-process", await host.Channel.Unary(TestService.UnaryMethod, "hello", default, default).SoonAsync());
        await host.Channel.Unary(TestService.UnaryMethod, new string('x', 11), default, default).AsTask().FailsAsync(StatusCode.ResourceExhausted);
        await using var call = host.Channel.DuplexStreaming(TestService.DuplexMethod, default, default);
        await call.SendAsync("a");
        await call.CompleteAsync().SoonAsync();
        Assert.Equal(["a"], await call.Responses.ToListAsync().SoonAsync());
    }

    [Fact]
    public async Task Its_end_cancels_open_calls_and_waits_for_their_handlers()
    {
        var (started, end) = (new TaskCompletionSource(), new TaskCompletionSource());
        var ended = false;
        var service = new TestService
        {
            OnUnary = async (_, call) =>
            {
                started.SetResult();
                await call.CancellationToken.FiredAsync();
                await end.Task;
                ended = true;
                return "";
            },
        };
        var host = InProcessRpc.Start(service);
        var call = host.Channel.Unary(TestService.UnaryMethod, "", default, default).AsTask();
        await started.Task.SoonAsync();
        var disposal = host.DisposeAsync().AsTask();
        await call.FailsAsync(StatusCode.Cancelled);
        Assert.False(disposal.IsCompleted);
        end.SetResult();
        await disposal.SoonAsync();
        Assert.True(ended);
    }

    [Fact]
    public async Task Channels_to_a_server_that_is_there_do_not_end_it()
    {
        var server = new RpcServer();
        server.AddService(new TestActivator<TestService>(new TestService { OnUnary = (request, _) => ValueTask.FromResult(request) }));
        for (var i = 0; i < 2; i++)
        {
            await using var host = InProcessRpc.Start(server);
            Assert.Equal("x", await host.Channel.Unary(TestService.UnaryMethod, "x", default, default).SoonAsync());
        }
    }

    [Fact]
    public async Task A_channel_keeps_the_keepalive_time_that_a_server_taught_it()
    {
        var go = new TaskCompletionSource();
        await using var server = new RawServer(
            (stream, number) => () =>
            {
                if (number == 0)
                {
                    go.SetResult();
                    return;
                }

                stream.SendHeaders(RawServer.Ok, endStream: false);
                Assert.True(stream.TrySend(RawServer.Message("ok")));
                stream.SendHeaders(RawServer.Headers("grpc-status=0"), endStream: true);
            },
            channel: channel => channel.Http2.KeepAliveTime = TimeSpan.FromSeconds(10));
        var call = server.Unary().AsTask();
        await go.Task.SoonAsync();
        Assert.Equal([TimeSpan.FromSeconds(10)], server.Channel.KeepAliveTimes());
        server.Connections[0].Close(Http2.Http2ErrorCode.EnhanceYourCalm, "too_many_pings");
        Assert.EndsWith("The keepalive time is 20 s from now on.", (await call.FailsAsync(StatusCode.Unavailable)).Status.Detail, StringComparison.Ordinal);
        Assert.Equal("ok", await server.Unary(new CallOptions { WaitForReady = true }).SoonAsync());
        Assert.Equal([TimeSpan.FromSeconds(20)], server.Channel.KeepAliveTimes());
    }
}
