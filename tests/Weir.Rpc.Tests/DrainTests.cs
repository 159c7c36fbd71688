using Microsoft.Extensions.Time.Testing;
using Weir.Rpc.Tests.Support;

namespace Weir.Rpc.Tests;

public sealed class DrainTests
{
    [Fact]
    public async Task Draining_tells_every_call_and_lets_it_finish()
    {
        await using var host = new TestHost();
        host.Service.OnServer = (_, call) => FirstAndLast(call);
        var calls = Enumerable.Range(0, 5).Select(_ => host.ServerStream("").GetAsyncEnumerator()).ToArray();
        foreach (var call in calls)
        {
            Assert.True(await call.MoveNextAsync().SoonAsync());
        }

        host.Server.BeginDrain();
        host.Server.BeginDrain();
        foreach (var call in calls)
        {
            Assert.True(await call.MoveNextAsync().SoonAsync());
            Assert.Equal("last message", call.Current);
            Assert.False(await call.MoveNextAsync().SoonAsync());
        }

        await host.AllServedAsync().SoonAsync(); // the connection ends by itself

    }

    [Fact]
    public async Task A_drained_server_refuses_new_connections_and_calls_go_elsewhere()
    {
        await using var other = new TestHost();
        other.Service.OnUnary = (request, _) => ValueTask.FromResult($"other {request}");
        TestHost? host = null;
        await using var disposed = host = new TestHost(channel: channel =>
            channel.ConnectTransport = token => host!.Connections == 0 ? host.ConnectAsync(token) : other.ConnectAsync(token));
        var go = new TaskCompletionSource();
        host.Service.OnUnary = async (request, call) =>
        {
            await call.Draining.FiredAsync();
            await go.Task;
            return $"first {request}";
        };
        host.Service.OnServer = (_, call) => Started(call);
        await using var started = host.ServerStream("").GetAsyncEnumerator();
        Assert.True(await started.MoveNextAsync().SoonAsync());
        await using var states = host.Channel.WatchStateAsync().GetAsyncEnumerator();
        Assert.True(await states.MoveNextAsync());
        Assert.Equal(ConnectivityState.Ready, states.Current);
        var open = host.Unary("a").AsTask();
        host.Server.BeginDrain();
        Assert.True(await states.MoveNextAsync().SoonAsync());
        Assert.Equal(ConnectivityState.Idle, states.Current); // the GOAWAY is here: calls made before it are still served by the first
        Assert.Equal("other b", await host.Unary("b").SoonAsync());
        go.SetResult();
        Assert.Contains(await open.SoonAsync(), new[] { "first a", "other a" });
        Assert.False(await started.MoveNextAsync().SoonAsync());
        await host.AllServedAsync().SoonAsync();
        var refused = new PipePair();
        await host.Server.ServeAsync(refused.Server, "late").SoonAsync();
        Assert.True((await refused.Client.Input.ReadAsync()).IsCompleted);

        static async IAsyncEnumerable<string> Started(ServerCall call)
        {
            yield return "first";
            await call.Draining.FiredAsync();
        }
    }

    [Fact]
    public async Task Abort_cancels_every_call()
    {
        await using var host = new TestHost();
        var started = new TaskCompletionSource();
        host.Service.OnUnary = async (_, call) =>
        {
            started.SetResult();
            await Task.Delay(Timeout.Infinite, call.CancellationToken);
            return "";
        };
        var call = host.Unary("").AsTask();
        await started.Task.SoonAsync();
        host.Server.Abort();
        await call.FailsAsync(StatusCode.Unavailable);
        await host.AllServedAsync().SoonAsync();
    }

    [Fact]
    public async Task The_token_of_a_connection_cancels_its_calls_and_no_others()
    {
        await using var host = new TestHost();
        host.Service.OnUnary = (request, _) => ValueTask.FromResult(request);
        var started = new TaskCompletionSource();
        host.Service.OnServer = (_, call) => Handle(call);
        using var abort = new CancellationTokenSource();
        var pair = new PipePair();
        var serving = host.Server.ServeAsync(pair.Server, "aborted", abort.Token);
        await using var channel = RpcChannel.ForAddress("http://x", new RpcChannelOptions { ConnectTransport = _ => new(pair.Client) });
        var call = channel.ServerStreaming(TestService.ServerMethod, "", default, default).ToListAsync();
        await started.Task.SoonAsync();
        await abort.CancelAsync();
        await call.FailsAsync(StatusCode.Unavailable);
        await serving.SoonAsync();
        Assert.Equal("x", await host.Unary("x").SoonAsync());

        async IAsyncEnumerable<string> Handle(ServerCall call)
        {
            started.SetResult();
            await Task.Delay(Timeout.Infinite, call.CancellationToken);
            yield break;
        }
    }

    [Fact]
    public async Task A_connection_that_is_as_old_as_it_may_get_tells_its_calls_and_no_others()
    {
        var time = new FakeTimeProvider();
        await using var host = new TestHost(server =>
        {
            server.TimeProvider = time;
            server.Http2.IdleTimeout = Timeout.InfiniteTimeSpan;
            server.Http2.MaxConnectionAge = TimeSpan.FromSeconds(100);
            server.Http2.MaxConnectionAgeGrace = TimeSpan.FromSeconds(30);
        });
        host.ExpectedErrors = ["4 A callback"];
        host.Service.OnServer = (_, call) => FirstAndLast(call);
        host.Service.OnUnary = (_, call) =>
        {
            call.Draining.Register(() => throw new FormatException()); // does no harm
            return ValueTask.FromResult("");
        };
        await host.Unary("").SoonAsync();
        await using var old = host.ServerStream("").GetAsyncEnumerator();
        Assert.True(await old.MoveNextAsync().SoonAsync());
        time.Advance(TimeSpan.FromSeconds(60));
        await using var channel = RpcChannel.ForAddress("http://younger", new RpcChannelOptions { ConnectTransport = host.ConnectAsync });
        await using var young = channel.ServerStreaming(TestService.ServerMethod, "", default, default).GetAsyncEnumerator();
        Assert.True(await young.MoveNextAsync().SoonAsync());
        var lastOfYoung = young.MoveNextAsync().AsTask();
        time.Advance(TimeSpan.FromSeconds(29)); // 89 s: not yet, for connections differ by a tenth
        var lastOfOld = old.MoveNextAsync().AsTask();
        Assert.False(lastOfOld.IsCompleted);
        time.Advance(TimeSpan.FromSeconds(22)); // 111 s
        Assert.True(await lastOfOld.SoonAsync());
        Assert.Equal("last message", old.Current);
        Assert.False(await old.MoveNextAsync().SoonAsync());
        Assert.False(lastOfYoung.IsCompleted);
        time.Advance(TimeSpan.FromSeconds(61));
        Assert.True(await lastOfYoung.SoonAsync());
        Assert.False(await young.MoveNextAsync().SoonAsync());
        await channel.DisposeAsync().SoonAsync();
    }

    [Fact]
    public async Task A_failing_draining_callback_is_logged_and_does_no_harm()
    {
        await using var host = new TestHost { ExpectedErrors = ["4 A callback"] };
        var started = new TaskCompletionSource();
        host.Service.OnUnary = async (_, call) =>
        {
            call.Draining.Register(() => throw new FormatException());
            started.SetResult();
            await call.Draining.FiredAsync();
            return "done";
        };
        var unary = host.Unary("").AsTask();
        await started.Task.SoonAsync();
        host.Server.BeginDrain();
        Assert.Equal("done", await unary.SoonAsync());
        await host.AllServedAsync().SoonAsync();
    }

    private static async IAsyncEnumerable<string> FirstAndLast(ServerCall call)
    {
        yield return "first";
        await call.Draining.FiredAsync();
        Assert.False(call.CancellationToken.IsCancellationRequested);
        yield return "last message";
    }
}
