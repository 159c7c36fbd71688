using Microsoft.Extensions.Time.Testing;
using Weir.Rpc.Tests.Support;

namespace Weir.Rpc.Tests;

public sealed class DeadlineTests
{
    private readonly FakeTimeProvider _clientTime = new(DateTimeOffset.UnixEpoch);
    private readonly FakeTimeProvider _serverTime = new(DateTimeOffset.UnixEpoch + TimeSpan.FromDays(1));

    [Fact]
    public async Task The_deadline_travels_as_a_timeout()
    {
        await using var host = CreateHost();
        host.Service.OnUnary = (_, call) => ValueTask.FromResult($"{(call.Deadline - _serverTime.GetUtcNow())?.TotalSeconds}");
        Assert.Equal("", await host.Unary("").SoonAsync());
        Assert.Equal("5", await host.Unary("", new CallOptions { Timeout = TimeSpan.FromSeconds(5) }).SoonAsync());
        var deadline = _clientTime.GetUtcNow() + TimeSpan.FromSeconds(7);
        Assert.Equal("7", await host.Unary("", new CallOptions { Deadline = deadline }).SoonAsync());
        Assert.Equal("7", await host.Unary("", new CallOptions { Deadline = deadline, Timeout = TimeSpan.FromSeconds(8) }).SoonAsync());
        Assert.Equal("6", await host.Unary("", new CallOptions { Deadline = deadline, Timeout = TimeSpan.FromSeconds(6) }).SoonAsync());
    }

    [Fact]
    public async Task The_client_does_not_wait_for_the_server()
    {
        await using var host = CreateHost();
        var (started, cancelled) = (new TaskCompletionSource(), new TaskCompletionSource());
        host.Service.OnUnary = async (_, call) =>
        {
            started.SetResult();
            await call.CancellationToken.FiredAsync();
            cancelled.SetResult();
            return "late";
        };
        var unary = host.Unary("", new CallOptions { Timeout = TimeSpan.FromSeconds(5) });
        await started.Task.SoonAsync();
        _clientTime.Advance(TimeSpan.FromSeconds(4.9));
        Assert.False(unary.AsTask().IsCompleted);
        _clientTime.Advance(TimeSpan.FromSeconds(0.1));
        await unary.AsTask().FailsAsync(StatusCode.DeadlineExceeded);
        await cancelled.Task.SoonAsync(); // the client's reset has reached the server, whose clock stands still
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task The_server_answers_at_the_deadline_and_keeps_the_call_until_its_work_ends(bool afterMessages)
    {
        await using var host = CreateHost();
        var (started, cancelled, end) = (new TaskCompletionSource(), new TaskCompletionSource(), new TaskCompletionSource());
        host.Service.OnDuplex = (_, call) => Handle(call);
        await using var duplex = host.Duplex(new CallOptions { Timeout = TimeSpan.FromSeconds(5) });
        await using var responses = duplex.Responses.GetAsyncEnumerator();
        if (afterMessages)
        {
            Assert.True(await responses.MoveNextAsync().SoonAsync());
        }

        var next = responses.MoveNextAsync().AsTask();
        await started.Task.SoonAsync();
        _serverTime.Advance(TimeSpan.FromSeconds(5));
        await next.FailsAsync(StatusCode.DeadlineExceeded);
        await cancelled.Task.SoonAsync();
        Assert.Equal(0, host.Activator.Released);
        await host.Channel.DisposeAsync().SoonAsync();
        Assert.False(host.AllServedAsync().IsCompleted); // the handler has not ended
        end.SetResult();
        await host.AllServedAsync().SoonAsync();

        async IAsyncEnumerable<string> Handle(ServerCall call)
        {
            if (afterMessages)
            {
                yield return "first";
            }

            started.SetResult();
            await call.CancellationToken.FiredAsync();
            cancelled.SetResult();
            await end.Task;
            var sender = call.GetSender<string>();
            Assert.False(sender.TrySend("late"));
            var error = await Assert.ThrowsAsync<OperationCanceledException>(() => sender.SendAsync("late").SoonAsync());
            Assert.Equal(call.CancellationToken, error.CancellationToken);
            yield return "late";
        }
    }

    [Fact]
    public async Task A_deadline_in_the_past_ends_the_call_before_it_connects()
    {
        await using var host = CreateHost();
        await host.Unary("", new CallOptions { Deadline = _clientTime.GetUtcNow() }).AsTask().FailsAsync(StatusCode.DeadlineExceeded);
        await host.Unary("", new CallOptions { Timeout = TimeSpan.Zero }).AsTask().FailsAsync(StatusCode.DeadlineExceeded);
        Assert.Throws<ArgumentOutOfRangeException>(() => host.Unary("", new CallOptions { Timeout = TimeSpan.FromTicks(-1) }));
        Assert.Equal(0, host.Connections);
    }

    [Fact]
    public async Task A_deadline_passes_also_while_the_channel_connects()
    {
        var connecting = new TaskCompletionSource();
        await using var host = new TestHost(channel: options =>
        {
            options.TimeProvider = _clientTime;
            options.ConnectTransport = async token =>
            {
                connecting.SetResult();
                await Task.Delay(Timeout.Infinite, token);
                throw new InvalidOperationException("unreachable");
            };
        });
        var call = host.ClientStream(new CallOptions { Timeout = TimeSpan.FromSeconds(3) });
        var send = call.SendAsync("x").AsTask();
        await connecting.Task.SoonAsync();
        _clientTime.Advance(TimeSpan.FromSeconds(3));
        await send.FailsAsync(StatusCode.DeadlineExceeded);
        await call.CompleteAsync().FailsAsync(StatusCode.DeadlineExceeded);
    }

    [Fact]
    public async Task A_deadline_further_away_than_timers_reach_still_holds()
    {
        await using var host = CreateHost();
        var started = new TaskCompletionSource();
        host.Service.OnUnary = async (_, call) =>
        {
            started.SetResult();
            await call.CancellationToken.FiredAsync();
            return "";
        };
        var unary = host.Unary("", new CallOptions { Timeout = TimeSpan.FromDays(60) });
        await started.Task.SoonAsync();
        for (var day = 0; day < 59; day++)
        {
            _clientTime.Advance(TimeSpan.FromDays(1));
        }

        Assert.False(unary.AsTask().IsCompleted);
        _clientTime.Advance(TimeSpan.FromDays(1));
        await unary.AsTask().FailsAsync(StatusCode.DeadlineExceeded);
    }

    private TestHost CreateHost() => new(
        server =>
        {
            server.TimeProvider = _serverTime;
            server.Http2.IdleTimeout = Timeout.InfiniteTimeSpan;
        },
        channel =>
        {
            channel.TimeProvider = _clientTime;
            channel.Http2.IdleTimeout = Timeout.InfiniteTimeSpan;
        });
}
