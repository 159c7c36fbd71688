using System.Net;
using Weir.Rpc.Channels;
using Weir.Rpc.Tests.Support;

namespace Weir.Rpc.Tests;

/// <summary>A channel's state, its pauses between attempts, calls that wait, and idleness.</summary>
public sealed class ConnectivityTests
{
    private static readonly CallOptions Waiting = new() { WaitForReady = true };
    private readonly TestNetwork _network = new();

    [Fact]
    public void Pauses_are_those_of_connection_backoff()
    {
        var options = new BackoffOptions();
        foreach (var (random, factor) in new[] { (0.5, 1.0), (0.0, 0.8), (1.0, 1.2) })
        {
            var backoff = new ConnectBackoff(options, () => random);
            for (var round = 0; round < 2; round++)
            {
                Assert.Equal(1, backoff.Next().TotalSeconds, 6); // the first without jitter
                foreach (var expected in new[] { 1.6, 2.56, 4.096, 6.5536, 10.48576, 16.777216, 26.8435456, 42.94967296, 68.719476736, 109.951162777, 120, 120 })
                {
                    Assert.Equal(expected * factor, backoff.Next().TotalSeconds, 4);
                }

                backoff.Reset();
            }
        }
    }

    [Fact]
    public async Task States_come_in_their_order_however_slowly_they_are_read()
    {
        await using var host = CreateHost();
        var channel = _network.CreateChannel("static:///a:1");
        var states = channel.WatchStateAsync();
        Assert.Equal(ConnectivityState.Idle, channel.State);
        var first = channel.WaitForStateChangeAsync(ConnectivityState.Idle);
        var connected = channel.ConnectAsync();
        var call = Call(channel);
        Assert.Equal(ConnectivityState.Connecting, await first.SoonAsync());
        await (await _network.AttemptAsync()).AcceptAsync(host);
        await connected.SoonAsync();
        Assert.Equal(ConnectivityState.Ready, channel.State);
        await channel.ConnectAsync().SoonAsync();
        Assert.Equal("server", await call.SoonAsync());
        host.Cut();
        Assert.Equal(ConnectivityState.Idle, await channel.WaitForStateChangeAsync(ConnectivityState.Ready).SoonAsync());
        channel.Connect();
        (await _network.AttemptAsync()).Fail("no route");
        Assert.Equal(ConnectivityState.TransientFailure, await channel.WaitForStateChangeAsync(ConnectivityState.Connecting).SoonAsync());
        await channel.DisposeAsync().SoonAsync();
        Assert.Equal(ConnectivityState.Shutdown, channel.State);
        await Assert.ThrowsAsync<ObjectDisposedException>(() => channel.ConnectAsync());
        Assert.Throws<ObjectDisposedException>(channel.Connect);
        Assert.Equal([ConnectivityState.Shutdown], await channel.WatchStateAsync().ToListAsync().SoonAsync());
    }

    [Fact]
    public async Task A_watcher_misses_no_state()
    {
        await using var host = CreateHost();
        var channel = _network.CreateChannel("static:///a:1");
        await using var states = channel.WatchStateAsync().GetAsyncEnumerator();
        Assert.True(await states.MoveNextAsync());
        channel.Connect();
        (await _network.AttemptAsync()).Fail("no route");
        await ReachAsync(channel, ConnectivityState.TransientFailure);
        _network.Time.Advance(TimeSpan.FromSeconds(1));
        await (await _network.AttemptAsync()).AcceptAsync(host);
        Assert.Equal("server", await Call(channel, Waiting).SoonAsync());
        host.Cut();
        await ReachAsync(channel, ConnectivityState.Idle);
        await channel.DisposeAsync().SoonAsync();
        List<ConnectivityState> seen = [states.Current];
        while (await states.MoveNextAsync().SoonAsync())
        {
            seen.Add(states.Current);
        }

        // While a failed channel tries again it stays in TransientFailure (gRFC A62).
        Assert.Equal(
            [ConnectivityState.Idle, ConnectivityState.Connecting, ConnectivityState.TransientFailure, ConnectivityState.Ready, ConnectivityState.Idle, ConnectivityState.Shutdown],
            seen);
        using var source = new CancellationTokenSource();
        await source.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => channel.WaitForStateChangeAsync(ConnectivityState.Shutdown, source.Token));
    }

    [Fact]
    public async Task Attempts_follow_the_pauses_from_start_to_start_and_a_connection_that_served_ends_them()
    {
        await using var host = CreateHost();
        await using var channel = _network.CreateChannel("static:///a:1", options => options.Backoff.Jitter = 0);
        channel.Connect();
        foreach (var pause in new[] { 1, 1.6, 2.56 })
        {
            var attempt = await _network.AttemptAsync();
            _network.Time.Advance(TimeSpan.FromSeconds(0.3)); // the attempt's own time counts
            attempt.Fail($"no route for {pause} s");
            await ReachFailureAsync(channel, $"no route for {pause} s");
            _network.Time.Advance(TimeSpan.FromSeconds(pause - 0.301));
            Assert.False(_network.HasAttempt);
            _network.Time.Advance(TimeSpan.FromSeconds(0.001));
        }

        await (await _network.AttemptAsync()).AcceptAsync(host);
        Assert.Equal("server", await Call(channel, Waiting).SoonAsync());
        host.Cut();
        await ReachAsync(channel, ConnectivityState.Idle);
        channel.Connect();
        (await _network.AttemptAsync()).Fail("again");
        await ReachFailureAsync(channel, "again");
        _network.Time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal("a:1", (await _network.AttemptAsync()).Address);
    }

    [Fact]
    public async Task An_attempt_has_the_connect_timeout_or_the_pause_if_that_is_longer()
    {
        await using var channel = _network.CreateChannel("static:///a:1", options => options.Backoff.Initial = TimeSpan.FromSeconds(30));
        var call = Call(channel);
        await _network.AttemptAsync();
        _network.Time.Advance(TimeSpan.FromSeconds(29.9));
        Assert.False(call.IsCompleted);
        _network.Time.Advance(TimeSpan.FromSeconds(0.1));
        Assert.Equal("cannot connect to a:1: not connected after 30 s (ConnectTimeout)", (await call.FailsAsync(StatusCode.Unavailable)).Status.Detail);

        await using var other = _network.CreateChannel("static:///b:1");
        call = Call(other);
        while ((await _network.AttemptAsync()).Address != "b:1")
        {
        }

        _network.Time.Advance(Within.Limit);
        Assert.Equal("cannot connect to b:1: not connected after 20 s (ConnectTimeout)", (await call.FailsAsync(StatusCode.Unavailable)).Status.Detail);
    }

    [Fact]
    public async Task Calls_fail_with_the_last_error_while_the_channel_cannot_connect_and_wait_if_they_ask_for_it()
    {
        await using var host = CreateHost();
        await using var channel = _network.CreateChannel("static:///a:1");
        var (waits, fails) = (Call(channel, Waiting), Call(channel));
        var late = Call(channel, Waiting with { Timeout = TimeSpan.FromSeconds(0.5) });
        (await _network.AttemptAsync()).Fail("no route");
        Assert.Equal("cannot connect to a:1: no route", (await fails.FailsAsync(StatusCode.Unavailable)).Status.Detail);
        Assert.Equal("cannot connect to a:1: no route", (await Call(channel).FailsAsync(StatusCode.Unavailable)).Status.Detail);
        _network.Time.Advance(TimeSpan.FromSeconds(0.5));
        await late.FailsAsync(StatusCode.DeadlineExceeded);
        Assert.False(waits.IsCompleted);
        _network.Time.Advance(TimeSpan.FromSeconds(0.5));
        await (await _network.AttemptAsync()).AcceptAsync(host);
        Assert.Equal("server", await waits.SoonAsync());
        Assert.Equal("server", await Call(channel).SoonAsync());
    }

    [Fact]
    public async Task Resetting_the_backoff_tries_again_at_once()
    {
        await using var host = CreateHost();
        await using var channel = _network.CreateChannel("static:///a:1");
        channel.Connect();
        (await _network.AttemptAsync()).Fail("no route");
        await ReachAsync(channel, ConnectivityState.TransientFailure);
        channel.ResetConnectBackoff();
        await (await _network.AttemptAsync()).AcceptAsync(host);
        await channel.ConnectAsync().SoonAsync();
        Assert.Equal("server", await Call(channel).SoonAsync());
    }

    [Theory]
    [InlineData("static:///a:1", "pick_first")]
    [InlineData("static:///a:1,b:1", "pick_first")]
    [InlineData("static:///a:1,b:1", "round_robin")]
    public async Task After_a_reset_calls_wait_for_the_next_outcome(string address, string policy)
    {
        await using var host = CreateHost();
        await using var channel = _network.CreateChannel(address, options => options.LoadBalancing = [policy]);
        var servers = address.Split(',').Length;
        channel.Connect();
        for (var round = 0; round < 3; round++) // each of which fails, but the last one
        {
            for (var i = 0; i < servers; i++)
            {
                (await _network.AttemptAsync()).Fail($"no route {round}");
            }

            await ReachAsync(channel, ConnectivityState.TransientFailure);
            await Call(channel).FailsAsync(StatusCode.Unavailable);
            channel.ResetConnectBackoff();
            await ReachAsync(channel, ConnectivityState.Connecting);
        }

        var call = Call(channel);
        await (await _network.AttemptAsync()).AcceptAsync(host);
        Assert.Equal("server", await call.SoonAsync()); // although the clock has not moved
    }

    [Fact]
    public async Task After_a_reset_calls_wait_for_the_next_answer_of_the_resolver()
    {
        await using var host = CreateHost();
        var isKnown = false;
        var resolver = new AskedResolver(() => isKnown ? [new RpcAddress(IPEndPoint.Parse("10.0.0.1:1"))] : throw new IOException("no such name"));
        await using var channel = _network.CreateChannel("asked:///x", options => options.Resolvers["asked"] = _ => resolver);
        await Call(channel).FailsAsync(StatusCode.Unavailable);
        isKnown = true;
        channel.ResetConnectBackoff();
        await ReachAsync(channel, ConnectivityState.Connecting);
        var call = Call(channel);
        await (await _network.AttemptAsync()).AcceptAsync(host);
        Assert.Equal("server", await call.SoonAsync());
    }

    [Fact]
    public async Task A_channel_without_calls_goes_Idle_and_connects_again_for_the_next_one()
    {
        await using var host = CreateHost();
        var end = new TaskCompletionSource();
        host.Service.OnServer = (_, _) => Stream(end.Task);
        await using var channel = _network.CreateChannel("static:///a:1");
        var stream = channel.ServerStreaming(TestService.ServerMethod, "", default, default);
        await using var responses = stream.GetAsyncEnumerator();
        var first = responses.MoveNextAsync();
        await (await _network.AttemptAsync()).AcceptAsync(host);
        Assert.True(await first.SoonAsync());
        _network.Time.Advance(TimeSpan.FromMinutes(45)); // the call is open
        Assert.Equal(ConnectivityState.Ready, channel.State);
        end.SetResult();
        Assert.False(await responses.MoveNextAsync().SoonAsync());
        _network.Time.Advance(TimeSpan.FromMinutes(29));
        Assert.Equal(ConnectivityState.Ready, channel.State);
        _network.Time.Advance(TimeSpan.FromMinutes(31));
        await ReachAsync(channel, ConnectivityState.Idle);
        await host.AllServedAsync().SoonAsync(); // the connection is closed
        var call = Call(channel);
        await (await _network.AttemptAsync()).AcceptAsync(host);
        Assert.Equal("server", await call.SoonAsync());
    }

    [Fact]
    public async Task The_second_connection_that_ends_before_it_served_counts_as_a_failed_attempt()
    {
        await using var host = CreateHost();
        await using var channel = _network.CreateChannel("static:///a:1");
        channel.Connect();
        await (await _network.AttemptAsync()).AcceptAsync(host);
        await channel.ConnectAsync().SoonAsync();
        host.Cut();
        await ReachAsync(channel, ConnectivityState.Idle);
        channel.Connect();
        await (await _network.AttemptAsync()).AcceptAsync(host);
        await channel.ConnectAsync().SoonAsync();
        host.Cut();
        await ReachAsync(channel, ConnectivityState.TransientFailure);
        Assert.StartsWith("cannot connect to a:1: the connection took no call: ", (await Call(channel).FailsAsync(StatusCode.Unavailable)).Status.Detail, StringComparison.Ordinal);
        _network.Time.Advance(TimeSpan.FromSeconds(2)); // 1.6 s and a fifth
        await (await _network.AttemptAsync()).AcceptAsync(host);
        Assert.Equal("server", await Call(channel, Waiting).SoonAsync());
    }

    [Fact]
    public async Task A_further_connection_that_fails_is_tried_again_after_the_pause_and_calls_wait_meanwhile()
    {
        await using var host = new TestHost(server => server.Http2.MaxConcurrentStreams = 1);
        var end = new TaskCompletionSource();
        host.Service.OnServer = (_, _) => Stream(end.Task);
        host.Service.OnUnary = (_, _) => ValueTask.FromResult("server");
        var log = new TestLog();
        await using var channel = _network.CreateChannel("static:///a:1", options => (options.MaxConnections, options.LoggerFactory) = (2, log));
        await using var stream = channel.ServerStreaming(TestService.ServerMethod, "", default, default);
        await (await _network.AttemptAsync()).AcceptAsync(host);
        await using var responses = stream.GetAsyncEnumerator();
        Assert.True(await responses.MoveNextAsync().SoonAsync());
        var waits = Call(channel);
        (await _network.AttemptAsync()).Fail("no more");
        using var limit = new CancellationTokenSource(Within.Limit);
        while (!log.Entries.Any(entry => entry.Id == 101))
        {
            limit.Token.ThrowIfCancellationRequested();
            await Task.Yield();
        }

        var second = Call(channel); // does not try again yet
        Assert.False(_network.HasAttempt);
        Assert.Equal(ConnectivityState.Ready, channel.State);
        _network.Time.Advance(TimeSpan.FromSeconds(1));
        var third = Call(channel);
        await (await _network.AttemptAsync()).AcceptAsync(host);
        Assert.Equal(["server", "server", "server"], await Task.WhenAll(waits, second, third).SoonAsync());
        Assert.False(_network.HasAttempt); // two are the most
        end.SetResult();
    }

    internal static TestHost CreateHost(string name = "server")
    {
        var host = new TestHost();
        host.Service.OnUnary = (_, _) => ValueTask.FromResult(name);
        return host;
    }

    internal static Task<string> Call(RpcChannel channel, CallOptions options = default) => channel.Unary(TestService.UnaryMethod, "", options, default).AsTask();

    internal static async Task ReachAsync(RpcChannel channel, ConnectivityState state)
    {
        for (var now = channel.State; now != state; now = await channel.WaitForStateChangeAsync(now).SoonAsync($"the state {state}"))
        {
        }
    }

    /// <summary>Waits until fail-fast calls end with this reason.</summary>
    private static async Task ReachFailureAsync(RpcChannel channel, string reason)
    {
        await ReachAsync(channel, ConnectivityState.TransientFailure);
        for (var seen = ""; seen != $"cannot connect to a:1: {reason}"; seen = (await Call(channel).FailsAsync(StatusCode.Unavailable)).Status.Detail)
        {
        }
    }

    private static async IAsyncEnumerable<string> Stream(Task end)
    {
        yield return "first";
        await end;
    }

    private sealed class AskedResolver(Func<IReadOnlyList<RpcAddress>> answer) : RpcResolver
    {
        public override async ValueTask<IReadOnlyList<RpcAddress>> ResolveAsync(CancellationToken cancellationToken)
        {
            await Task.Yield();
            return answer();
        }
    }
}
