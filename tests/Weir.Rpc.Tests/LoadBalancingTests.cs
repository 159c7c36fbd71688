using System.Net;
using Weir.Rpc.Channels;
using Weir.Rpc.Tests.Support;

namespace Weir.Rpc.Tests;

/// <summary>Which of a channel's servers are connected to, and which one a call goes to.</summary>
public sealed class LoadBalancingTests : IAsyncDisposable
{
    private const string Three = "static:///10.0.0.1:1,10.0.0.2:1,10.0.0.3:1";
    private static readonly CallOptions Waiting = new() { WaitForReady = true };
    private readonly TestNetwork _network = new();
    private readonly Dictionary<string, TestHost> _servers = Enumerable.Range(1, 3).ToDictionary(i => $"10.0.0.{i}:1", i => ConnectivityTests.CreateHost($"{i}"));

    [Fact]
    public async Task Pick_first_tries_the_next_address_after_250_ms_and_takes_the_first_that_answers()
    {
        await using var channel = _network.CreateChannel(Three);
        var call = ConnectivityTests.Call(channel);
        var slow = await _network.AttemptAsync();
        Assert.Equal("10.0.0.1:1", slow.Address);
        _network.Time.Advance(TimeSpan.FromMilliseconds(249));
        Assert.False(_network.HasAttempt);
        _network.Time.Advance(TimeSpan.FromMilliseconds(1));
        var second = await _network.AttemptAsync();
        Assert.Equal("10.0.0.2:1", second.Address);
        await second.AcceptAsync(_servers[second.Address]);
        Assert.Equal("2", await call.SoonAsync());
        await slow.Cancelled.FiredAsync().SoonAsync();
        _network.Time.Advance(TimeSpan.FromSeconds(10));
        Assert.False(_network.HasAttempt);
    }

    [Fact]
    public async Task Pick_first_tries_the_next_address_at_once_when_one_fails_and_fails_after_the_last_one()
    {
        await using var channel = _network.CreateChannel(Three);
        var call = ConnectivityTests.Call(channel);
        for (var i = 1; i <= 3; i++)
        {
            var attempt = await _network.AttemptAsync();
            Assert.Equal($"10.0.0.{i}:1", attempt.Address);
            attempt.Fail($"error {i}");
        }

        Assert.Equal($"cannot connect to {Three[10..]}: error 3 (10.0.0.3:1)", (await call.FailsAsync(StatusCode.Unavailable)).Status.Detail);

        // After that each address is tried again for itself, and the first that answers is taken.
        _network.Time.Advance(TimeSpan.FromSeconds(1));
        List<TestNetwork.Attempt> again = [await _network.AttemptAsync(), await _network.AttemptAsync(), await _network.AttemptAsync()];
        Assert.Equal(["10.0.0.1:1", "10.0.0.2:1", "10.0.0.3:1"], again.Select(attempt => attempt.Address).Order());
        var third = again.Single(attempt => attempt.Address == "10.0.0.3:1");
        await third.AcceptAsync(_servers[third.Address]);
        Assert.Equal("3", await ConnectivityTests.Call(channel, Waiting).SoonAsync());
    }

    [Fact]
    public async Task Pick_first_takes_another_server_after_its_own_is_lost()
    {
        await using var channel = _network.CreateChannel(Three);
        var call = ConnectivityTests.Call(channel);
        await (await _network.AttemptAsync()).AcceptAsync(_servers["10.0.0.1:1"]);
        Assert.Equal("1", await call.SoonAsync());
        _servers["10.0.0.1:1"].Cut();
        await ConnectivityTests.ReachAsync(channel, ConnectivityState.Idle);
        call = ConnectivityTests.Call(channel);
        (await _network.AttemptAsync()).Fail("gone");
        await (await _network.AttemptAsync()).AcceptAsync(_servers["10.0.0.2:1"]);
        Assert.Equal("2", await call.SoonAsync());
    }

    [Fact]
    public async Task Round_robin_gives_every_ready_server_its_turn()
    {
        await using var channel = await ConnectAsync("round_robin");
        Assert.Equal("111222333", string.Concat((await CallAsync(channel, 9)).Order()));

        // A lost server gets no calls, and is connected to again without a call.
        _servers["10.0.0.2:1"].Cut();
        var attempt = await _network.AttemptAsync();
        Assert.Equal("10.0.0.2:1", attempt.Address);
        await CountAsync(channel, 2); // it is out of the rounds, which may be a moment after the attempt has begun
        Assert.Equal("111333", string.Concat((await CallAsync(channel, 6)).Order()));
        attempt.Fail("not yet");
        Assert.Equal("111333", string.Concat((await CallAsync(channel, 6)).Order()));
        Assert.Equal(ConnectivityState.Ready, channel.State);
    }

    [Fact]
    public async Task Round_robin_fails_when_every_server_has_failed_and_recovers_with_one()
    {
        await using var channel = _network.CreateChannel(Three, options => options.LoadBalancing = ["unknown", "round_robin"]);
        var call = ConnectivityTests.Call(channel);
        (await _network.AttemptAsync()).Fail("no");
        (await _network.AttemptAsync()).Fail("no");
        Assert.False(call.IsCompleted);
        Assert.Equal(ConnectivityState.Connecting, channel.State);
        (await _network.AttemptAsync()).Fail("no");
        await call.FailsAsync(StatusCode.Unavailable);
        await ConnectivityTests.ReachAsync(channel, ConnectivityState.TransientFailure);
        _network.Time.Advance(TimeSpan.FromSeconds(1));
        var attempt = await _network.AttemptAsync();
        Assert.Equal(ConnectivityState.TransientFailure, channel.State); // until one is ready
        await attempt.AcceptAsync(_servers[attempt.Address]);
        await channel.ConnectAsync().SoonAsync();
        Assert.Equal(attempt.Address, $"10.0.0.{await ConnectivityTests.Call(channel).SoonAsync()}:1");
    }

    [Fact]
    public async Task Least_request_takes_of_two_servers_the_one_with_fewer_open_calls()
    {
        Queue<int> random = new([0, 1, 1, 0, 0, 2, 2, 2]);
        await using var channel = await ConnectAsync("mine", options => options.LoadBalancingPolicies["mine"] = () => new LeastRequest(count =>
        {
            Assert.Equal(3, count);
            return random.Dequeue();
        }));
        foreach (var server in _servers.Values)
        {
            server.Service.OnServer = (_, call) => Hang(call);
        }

        List<ServerStreamingCall<string>> streams = [];
        List<IAsyncEnumerator<string>> readers = []; // left open: one that is disposed of ends its call
        foreach (var running in new[] { "100", "110", "111", "112" }) // 0 of 0/1; 0 and 1: 1 is free; 2 is free; 2 only
        {
            streams.Add(channel.ServerStreaming(TestService.ServerMethod, "", default, default));
            readers.Add(streams[^1].GetAsyncEnumerator());
            Assert.True(await readers[^1].MoveNextAsync().SoonAsync());
            Assert.Equal(running, string.Concat(_servers.Values.Select(server => server.Activator.Created)));
        }
    }

    [Theory]
    [InlineData(3, "the policy Fixed picked server 3 of 3")]
    [InlineData(-1, "the policy Fixed picked server -1 of 3")]
    [InlineData(99, "the policy Fixed failed: no idea")]
    public async Task A_policy_that_fails_ends_the_call_with_Internal(int index, string detail)
    {
        await using var channel = await ConnectAsync("mine", options => options.LoadBalancingPolicies["mine"] = () => new Fixed(index));
        Assert.Equal(detail, (await ConnectivityTests.Call(channel).FailsAsync(StatusCode.Internal)).Status.Detail);
    }

    [Fact]
    public async Task A_policy_sees_addresses_with_attributes_in_the_resolvers_order()
    {
        var resolver = new PushResolver(_servers.Keys.Select((text, i) => new RpcAddress(IPEndPoint.Parse(text), new Dictionary<string, object> { ["weight"] = i })));
        await using var channel = await ConnectAsync("mine", options =>
        {
            options.Resolvers["test"] = _ => resolver;
            options.LoadBalancingPolicies["mine"] = () => new Heaviest();
        }, "test:///x");
        Assert.Equal("3", await ConnectivityTests.Call(channel).SoonAsync());
    }

    [Fact]
    public async Task A_call_goes_to_another_server_when_the_picked_one_has_no_free_stream()
    {
        await _servers["10.0.0.1:1"].DisposeAsync();
        _servers["10.0.0.1:1"] = new TestHost(server => server.Http2.MaxConcurrentStreams = 1);
        _servers["10.0.0.1:1"].Service.OnServer = (_, call) => Hang(call);
        await using var channel = await ConnectAsync("mine", options =>
        {
            options.MaxConnections = 1;
            options.LoadBalancingPolicies["mine"] = () => new Fixed(0);
        });
        await using var stream = channel.ServerStreaming(TestService.ServerMethod, "", default, default);
        await using var responses = stream.GetAsyncEnumerator();
        Assert.True(await responses.MoveNextAsync().SoonAsync());
        Assert.Equal("2", await ConnectivityTests.Call(channel).SoonAsync());
    }

    [Fact]
    public async Task The_resolver_pushes_new_addresses_and_calls_on_the_old_server_go_on()
    {
        var resolver = new PushResolver([new RpcAddress(IPEndPoint.Parse("10.0.0.1:1"))]);
        await using (var channel = _network.CreateChannel("test:///x", options => options.Resolvers["test"] = _ => resolver))
        {
            _servers["10.0.0.1:1"].Service.OnServer = (_, call) => Hang(call);
            var stream = channel.ServerStreaming(TestService.ServerMethod, "", default, default);
            await (await _network.AttemptAsync()).AcceptAsync(_servers["10.0.0.1:1"]);
            await using var responses = stream.GetAsyncEnumerator();
            Assert.True(await responses.MoveNextAsync().SoonAsync());
            resolver.Push([new RpcAddress(IPEndPoint.Parse("10.0.0.2:1"))]);
            await (await _network.AttemptAsync()).AcceptAsync(_servers["10.0.0.2:1"]);
            Assert.Equal("2", await ConnectivityTests.Call(channel).SoonAsync());
            var next = responses.MoveNextAsync().AsTask();
            Assert.False(next.IsCompleted);
            await stream.DisposeAsync();
            await next.FailsAsync(StatusCode.Cancelled);
        }

        Assert.True(resolver.IsDisposed);
    }

    [Fact]
    public async Task The_resolver_is_asked_again_after_failures_but_not_too_often()
    {
        var resolver = new PushResolver([new RpcAddress(IPEndPoint.Parse("10.0.0.1:1"))]);
        await using var channel = _network.CreateChannel("test:///x", options =>
        {
            options.Resolvers["test"] = _ => resolver;
            options.Backoff.Initial = TimeSpan.FromHours(1);
            options.Backoff.Max = TimeSpan.FromHours(1);
            options.IdleTimeout = Timeout.InfiniteTimeSpan;
        });
        channel.Connect();
        (await _network.AttemptAsync()).Fail("gone");
        await ConnectivityTests.ReachAsync(channel, ConnectivityState.TransientFailure);
        Assert.Equal(1, resolver.Asked);
        resolver.Addresses = [new RpcAddress(IPEndPoint.Parse("10.0.0.3:1"))];
        _network.Time.Advance(TimeSpan.FromSeconds(29));
        Assert.Equal(1, resolver.Asked);
        _network.Time.Advance(TimeSpan.FromSeconds(1));
        await (await _network.AttemptAsync()).AcceptAsync(_servers["10.0.0.3:1"]);
        Assert.Equal("3", await ConnectivityTests.Call(channel, Waiting).SoonAsync());
        Assert.Equal(2, resolver.Asked);
    }

    [Fact]
    public async Task A_resolver_that_fails_is_asked_again_after_a_pause()
    {
        var resolver = new PushResolver([]);
        await using var channel = _network.CreateChannel("test:///x", options => options.Resolvers["test"] = _ => resolver);
        Assert.Equal("cannot find the servers of test:///x: there is no address", (await ConnectivityTests.Call(channel).FailsAsync(StatusCode.Unavailable)).Status.Detail);
        resolver.Failure = new IOException("the name service is down");
        _network.Time.Advance(TimeSpan.FromSeconds(1));
        for (var detail = ""; detail != "cannot find the servers of test:///x: the name service is down";)
        {
            detail = (await ConnectivityTests.Call(channel).FailsAsync(StatusCode.Unavailable)).Status.Detail;
        }

        resolver.Failure = null;
        resolver.Addresses = [new RpcAddress(IPEndPoint.Parse("10.0.0.1:1"))];
        _network.Time.Advance(TimeSpan.FromSeconds(2)); // 1.6 s and a fifth
        await (await _network.AttemptAsync()).AcceptAsync(_servers["10.0.0.1:1"]);
        Assert.Equal("1", await ConnectivityTests.Call(channel, Waiting).SoonAsync());
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var server in _servers.Values)
        {
            await server.DisposeAsync();
        }
    }

    private static async IAsyncEnumerable<string> Hang(ServerCall call)
    {
        yield return "";
        await call.CancellationToken.FiredAsync();
    }

    private async Task<RpcChannel> ConnectAsync(string policy, Action<RpcChannelOptions>? configure = null, string address = Three)
    {
        var channel = _network.CreateChannel(address, options =>
        {
            options.LoadBalancing = [policy];
            configure?.Invoke(options);
        });
        channel.Connect();
        await _network.ConnectAllAsync(_servers);
        await channel.ConnectAsync().SoonAsync();

        await CountAsync(channel, 3); // the channel is ready with the first server; these tests are about all three
        return channel;
    }

    /// <summary>Waits until calls go to so many servers.</summary>
    private static async Task CountAsync(RpcChannel channel, int servers)
    {
        using var limit = new CancellationTokenSource(Within.Limit);
        while (channel.CountReadyServers() != servers)
        {
            limit.Token.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }

    private static async Task<List<string>> CallAsync(RpcChannel channel, int count)
    {
        List<string> answers = [];
        for (var i = 0; i < count; i++)
        {
            answers.Add(await ConnectivityTests.Call(channel).SoonAsync());
        }

        return answers;
    }

    private sealed class Fixed(int index) : LoadBalancingPolicy
    {
        public override int Pick(ReadOnlySpan<ReadyServer> ready) => index == 99 ? throw new InvalidOperationException("no idea") : index;
    }

    private sealed class Heaviest : LoadBalancingPolicy
    {
        public override int Pick(ReadOnlySpan<ReadyServer> ready)
        {
            Assert.Equal(["10.0.0.1:1", "10.0.0.2:1", "10.0.0.3:1"], ready.ToArray().Select(server => $"{server.Address}"));
            var weights = ready.ToArray().Select(server => (int)server.Address.Attributes["weight"]).ToList();
            return weights.IndexOf(weights.Max());
        }
    }

    private sealed class PushResolver(IEnumerable<RpcAddress> addresses) : RpcResolver
    {
        private int _asked;

        public IReadOnlyList<RpcAddress> Addresses { get; set; } = [.. addresses];

        public Exception? Failure { get; set; }

        public int Asked => Volatile.Read(ref _asked);

        public bool IsDisposed { get; private set; }

        public void Push(IReadOnlyList<RpcAddress> changed)
        {
            Addresses = changed;
            OnChanged();
        }

        public override ValueTask<IReadOnlyList<RpcAddress>> ResolveAsync(CancellationToken cancellationToken)
        {
            Interlocked.Increment(ref _asked);
            return Failure is null ? new(Addresses) : throw Failure;
        }

        public override ValueTask DisposeAsync()
        {
            IsDisposed = true;
            return base.DisposeAsync();
        }
    }
}
