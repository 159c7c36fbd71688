using System.Runtime.CompilerServices;
using Microsoft.Extensions.Time.Testing;
using Weir.Rpc.Tests.Support;

namespace Weir.Rpc.Tests;

/// <summary>Calls over two hops: a handler's own calls take the deadline and the cancellation of the one that it answers, and nothing else.</summary>
public sealed class PropagationTests : IAsyncDisposable
{
    private static readonly DateTimeOffset Start = DateTimeOffset.UnixEpoch;

    private readonly FakeTimeProvider _time = new(Start);
    private readonly FakeTimeProvider _backTime = new(Start + TimeSpan.FromDays(1));
    private TestHost? _front;
    private TestHost? _back;

    public static TheoryData<string> Arounds => ["nothing", "interceptor", "retries", "hedging"];

    public static TheoryData<string, MethodKind> AroundsAndKinds => [.. from around in Arounds.Select(row => row.Data) from kind in Enum.GetValues<MethodKind>() select (around, kind)];

    private TestHost Front => _front ??= new TestHost(
        server =>
        {
            server.TimeProvider = _time;
            server.PropagatesCalls = true;
        },
        channel => channel.TimeProvider = _time);

    [Theory]
    [MemberData(nameof(Arounds))]
    public async Task The_second_server_has_what_is_left_of_the_deadline(string around)
    {
        var back = CreateBack(around);
        back.Service.OnUnary = (_, call) => ValueTask.FromResult($"{(call.Deadline - _backTime.GetUtcNow())?.TotalSeconds}");
        Front.Service.OnUnary = async (request, call) =>
        {
            _time.Advance(TimeSpan.FromSeconds(2)); // of work
            return await back.Unary("", request.Length == 0 ? CallOptions.For(call) : CallOptions.For(call) with { Timeout = TimeSpan.FromSeconds(int.Parse(request, null)) });
        };
        Assert.Equal("", await Front.Unary("").SoonAsync()); // no deadline
        Assert.Equal("3", await Front.Unary("", Limit).SoonAsync());
        Assert.Equal("3", await Front.Unary("4", Limit).SoonAsync()); // the earlier of both
        Assert.Equal("2", await Front.Unary("2", Limit).SoonAsync());
    }

    [Fact]
    public async Task The_timeout_on_the_wire_is_no_longer_than_what_is_left()
    {
        await using var back = new RawServer(
            (stream, _) => () => stream.SendHeaders(RawServer.Headers(":status=200", "content-type=application/grpc", "grpc-status=5"), endStream: true),
            channel: options => options.TimeProvider = _time);
        Front.Service.OnUnary = async (_, call) =>
        {
            _time.Advance(TimeSpan.FromSeconds(2));
            return await back.Unary(CallOptions.For(call));
        };
        await Front.Unary("", Limit).AsTask().FailsAsync(StatusCode.NotFound);
        Assert.Equal("3000000u", back.LastRequest["grpc-timeout"]);
    }

    [Theory]
    [MemberData(nameof(Arounds))]
    public async Task With_no_time_left_the_second_call_ends_at_once_and_the_second_server_hears_nothing(string around)
    {
        var back = CreateBack(around);
        var second = new TaskCompletionSource<Task<string>>();
        Front.Service.OnUnary = async (_, call) =>
        {
            var options = CallOptions.For(call);
            _time.Advance(TimeSpan.FromSeconds(6));
            second.SetResult(back.Unary("", options with { CancellationToken = default }).AsTask());
            await (await second.Task);
            return "late";
        };
        await Front.Unary("", Limit).AsTask().FailsAsync(StatusCode.DeadlineExceeded);
        await (await second.Task.SoonAsync()).FailsAsync(StatusCode.DeadlineExceeded);
        Assert.Equal(0, back.Activator.Created);
    }

    [Theory]
    [MemberData(nameof(AroundsAndKinds))]
    public async Task Cancelling_the_first_call_cancels_the_second_on_its_server(string around, MethodKind kind)
    {
        var back = CreateBack(around);
        var waiting = new Waiting();
        waiting.Serve(back.Service);
        Front.Service.OnUnary = async (_, call) =>
        {
            var options = CallOptions.For(call);
            switch (kind)
            {
                case MethodKind.Unary:
                    return await back.Unary("", options);
                case MethodKind.ServerStreaming:
                    return string.Concat(await back.ServerStream("", options).ToListAsync());
                case MethodKind.ClientStreaming:
                    await using (var client = back.ClientStream(options))
                    {
                        return await client.CompleteAsync();
                    }

                default:
                    await using (var duplex = back.Duplex(options))
                    {
                        return string.Concat(await duplex.Responses.ToListAsync());
                    }
            }
        };
        using var stop = new CancellationTokenSource();
        var first = Front.Unary("", cancellationToken: stop.Token);
        await waiting.Reached.Task.SoonAsync();
        await stop.CancelAsync();
        await first.AsTask().FailsAsync(StatusCode.Cancelled);
        await waiting.Cancelled.Task.SoonAsync();
    }

    [Fact]
    public async Task Without_the_token_the_second_call_goes_on()
    {
        var back = CreateBack("nothing");
        var (reached, go, answered) = (new TaskCompletionSource(), new TaskCompletionSource(), new TaskCompletionSource<string>());
        back.Service.OnUnary = async (_, _) =>
        {
            reached.SetResult();
            await go.Task;
            return "done";
        };
        Front.Service.OnUnary = async (_, call) =>
        {
            answered.SetResult(await back.Unary("", CallOptions.For(call) with { CancellationToken = default }));
            return "";
        };
        using var stop = new CancellationTokenSource();
        var first = Front.Unary("", cancellationToken: stop.Token);
        await reached.Task.SoonAsync();
        await stop.CancelAsync();
        await first.AsTask().FailsAsync(StatusCode.Cancelled);
        go.SetResult();
        Assert.Equal("done", await answered.Task.SoonAsync());
    }

    [Fact]
    public async Task Metadata_do_not_go_along()
    {
        var back = CreateBack("nothing");
        back.Service.OnUnary = (_, call) => ValueTask.FromResult(string.Join(',', call.RequestHeaders.Select(entry => entry.Key)));
        Front.Service.OnUnary = async (_, call) => await back.Unary("", CallOptions.For(call));
        var headers = new Metadata { { "authorization", "Bearer secret" }, { "tenant", "a" } };
        Assert.Equal("user-agent", await Front.Unary("", new CallOptions { Headers = headers }).SoonAsync());
    }

    [Theory]
    [MemberData(nameof(Arounds))]
    public async Task Either_token_ends_a_call(string around)
    {
        var back = CreateBack(around);
        back.Service.OnUnary = async (_, call) =>
        {
            await call.CancellationToken.FiredAsync();
            return "late";
        };
        for (var fires = 0; fires < 2; fires++)
        {
            using CancellationTokenSource ofOptions = new(), besides = new();
            var call = back.Unary("", new CallOptions { CancellationToken = ofOptions.Token }, besides.Token);
            await (fires == 0 ? ofOptions : besides).CancelAsync();
            await call.AsTask().FailsAsync(StatusCode.Cancelled);
        }

        using var both = new CancellationTokenSource();
        var one = back.Unary("", new CallOptions { CancellationToken = both.Token }, both.Token);
        await both.CancelAsync();
        await one.AsTask().FailsAsync(StatusCode.Cancelled);
        await back.Unary("", new CallOptions { CancellationToken = both.Token }).AsTask().FailsAsync(StatusCode.Cancelled);
    }

    [Theory]
    [MemberData(nameof(Arounds))]
    public async Task A_call_that_has_ended_leaves_nothing_with_its_tokens(string around)
    {
        var back = CreateBack(around);
        back.Service.OnUnary = (request, _) => ValueTask.FromResult(request);
        using CancellationTokenSource ofOptions = new(), besides = new();
        var gone = await CallAsync();
        for (var i = 0; i < 100 && gone.IsAlive; i++)
        {
            await back.Unary("").SoonAsync(); // what still holds the last call holds this one now
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }

        Assert.False(gone.IsAlive);

        [MethodImpl(MethodImplOptions.NoInlining)]
        async Task<WeakReference> CallAsync()
        {
            var call = back.Unary("", new CallOptions { CancellationToken = ofOptions.Token }, besides.Token);
            await call.SoonAsync();
            return new WeakReference(call.Inner);
        }
    }

    [Theory]
    [MemberData(nameof(Arounds))]
    public async Task A_propagating_client_has_the_earlier_of_both_deadlines(string around)
    {
        var back = CreateBack(around);
        back.Service.OnUnary = (_, call) => ValueTask.FromResult(Left(call));
        var client = back.Channel.PropagateCalls();
        Front.Service.OnUnary = async (request, _) =>
        {
            _time.Advance(TimeSpan.FromSeconds(2)); // of work
            CallOptions own = request.Split(' ') switch
            {
                ["timeout", var seconds] => new() { Timeout = TimeSpan.FromSeconds(int.Parse(seconds, null)) },
                ["deadline", var seconds] => new() { Deadline = _time.GetUtcNow() + TimeSpan.FromSeconds(int.Parse(seconds, null)) },
                _ => default,
            };
            return await client.Unary(TestService.UnaryMethod, "", own, default);
        };
        foreach (var (request, hasLimit, left) in new[]
        {
            ("", false, ""), ("", true, "3"), ("timeout 4", true, "3"), ("timeout 2", true, "2"), ("deadline 4", true, "3"), ("deadline 2", true, "2"),
            ("timeout 4", false, "4"), ("deadline 4", false, "4"),
        })
        {
            Assert.Equal((request, left), (request, await Front.Unary(request, hasLimit ? Limit : default).SoonAsync()));
        }
    }

    [Theory]
    [MemberData(nameof(AroundsAndKinds))]
    public async Task A_propagating_client_is_cancelled_with_the_call_and_by_each_token_of_its_own(string around, MethodKind kind)
    {
        var back = CreateBack(around);
        var client = back.Channel.PropagateCalls();
        foreach (var (ofOptions, ofArgument, fires) in new[]
        {
            (false, false, "call"), (true, false, "call"), (false, true, "call"), (true, true, "call"), (true, true, "options"), (true, true, "argument"),
        })
        {
            var waiting = new Waiting();
            waiting.Serve(back.Service);
            using CancellationTokenSource stop = new(), options = new(), argument = new();
            Front.Service.OnUnary = async (_, _) => await CallAsync(
                new CallOptions { CancellationToken = ofOptions ? options.Token : default }, ofArgument ? argument.Token : default);
            var first = Front.Unary("", cancellationToken: stop.Token);
            await waiting.Reached.Task.SoonAsync();
            await (fires switch { "call" => stop, "options" => options, _ => argument }).CancelAsync();
            await first.AsTask().FailsAsync(StatusCode.Cancelled);
            await waiting.Cancelled.Task.SoonAsync();
        }

        async Task<string> CallAsync(CallOptions options, CancellationToken token)
        {
            switch (kind)
            {
                case MethodKind.Unary:
                    return await client.Unary(TestService.UnaryMethod, "", options, token);
                case MethodKind.ServerStreaming:
                    return string.Concat(await client.ServerStreaming(TestService.ServerMethod, "", options, token).ToListAsync());
                case MethodKind.ClientStreaming:
                    await using (var streaming = client.ClientStreaming(TestService.ClientMethod, options, token))
                    {
                        return await streaming.CompleteAsync(CancellationToken.None);
                    }

                default:
                    await using (var duplex = client.DuplexStreaming(TestService.DuplexMethod, options, token))
                    {
                        return string.Concat(await duplex.Responses.ToListAsync());
                    }
            }
        }
    }

    [Fact]
    public async Task A_propagating_client_finds_its_call_all_along_a_stream_and_in_the_calls_tasks()
    {
        var back = CreateBack("nothing");
        back.Service.OnUnary = (_, call) => ValueTask.FromResult(Left(call));
        var client = back.Channel.PropagateCalls();
        var ofTask = new TaskCompletionSource<string>();
        Front.Service.OnDuplex = (requests, call) => EachAsync(requests, call);
        await using var duplex = Front.Duplex(Limit);
        for (var i = 0; i < 3; i++)
        {
            await duplex.SendAsync("x").SoonAsync();
        }

        await duplex.CompleteAsync().SoonAsync();
        Assert.Equal(["5", "5", "5"], await duplex.Responses.ToListAsync().SoonAsync());
        Assert.Equal("5", await ofTask.Task.SoonAsync());

        async IAsyncEnumerable<string> EachAsync(IAsyncEnumerable<string> requests, ServerCall call)
        {
            call.Run(async _ => ofTask.SetResult(await client.Unary(TestService.UnaryMethod, "", default, default)));
            await foreach (var _ in requests)
            {
                yield return await client.Unary(TestService.UnaryMethod, "", default, default);
            }
        }
    }

    [Fact]
    public async Task Outside_of_a_call_a_propagating_client_throws_unless_it_is_optional()
    {
        var back = CreateBack("nothing");
        back.Service.OnUnary = (_, call) => ValueTask.FromResult(Left(call));
        var error = Assert.Throws<InvalidOperationException>(() => back.Channel.PropagateCalls().Unary(TestService.UnaryMethod, "", default, default));
        Assert.Contains("RpcServerOptions.PropagatesCalls", error.Message, StringComparison.Ordinal);
        Assert.Equal(0, back.Connections);
        Assert.Equal("4", await back.Channel.PropagateCalls(optional: true).Unary(TestService.UnaryMethod, "", new CallOptions { Timeout = TimeSpan.FromSeconds(4) }, default).SoonAsync());

        await using var plain = new TestHost(); // does not propagate
        plain.Service.OnUnary = async (_, _) => (await Assert.ThrowsAsync<InvalidOperationException>(
            async () => await back.Channel.PropagateCalls().Unary(TestService.UnaryMethod, "", default, default))).Message;
        Assert.Equal(error.Message, await plain.Unary("").SoonAsync());
    }

    [Fact]
    public async Task What_goes_on_after_its_call_has_ended_has_no_call_any_more()
    {
        var back = CreateBack("nothing");
        var client = back.Channel.PropagateCalls();
        var go = new TaskCompletionSource();
        Task<string>? late = null;
        Front.Service.OnUnary = (request, _) =>
        {
            late = Task.Run(async () =>
            {
                await go.Task;
                return await client.Unary(TestService.UnaryMethod, "", default, default);
            });
            return ValueTask.FromResult(request);
        };
        await Front.Unary("", Limit).SoonAsync();
        await Front.DisposeAsync(); // all of the call has ended
        go.SetResult();
        await Assert.ThrowsAsync<InvalidOperationException>(() => late!.SoonAsync());
        _front = null;
    }

    [Fact]
    public async Task A_call_is_not_found_in_another_server_to_which_it_was_the_first_to_connect()
    {
        await using var leaf = new TestHost(server => server.TimeProvider = _backTime, channel => channel.TimeProvider = _time);
        leaf.Service.OnUnary = (_, call) => ValueTask.FromResult(Left(call));
        var back = CreateBack("nothing");
        back.Service.OnUnary = async (_, _) => await leaf.Channel.PropagateCalls(optional: true).Unary(TestService.UnaryMethod, "", default, default);
        Front.Service.OnUnary = async (_, _) => await back.Channel.PropagateCalls().Unary(TestService.UnaryMethod, "", default, default);
        Assert.Equal("", await Front.Unary("", Limit).SoonAsync());
    }

    [Fact]
    public void There_must_be_a_call() => Assert.Throws<ArgumentNullException>(() => CallOptions.For(null!));

    public async ValueTask DisposeAsync()
    {
        if (_front is not null)
        {
            await _front.DisposeAsync();
        }

        if (_back is not null)
        {
            await _back.DisposeAsync();
        }
    }

    private string Left(ServerCall call) => $"{(call.Deadline - _backTime.GetUtcNow())?.TotalSeconds}";

    private static CallOptions Limit => new() { Timeout = TimeSpan.FromSeconds(5) };

    private TestHost CreateBack(string around) => _back = new TestHost(server => server.TimeProvider = _backTime, channel =>
    {
        channel.TimeProvider = _time;
        if (around == "interceptor")
        {
            channel.Interceptors.Add(new ClientHook((_, requests, next) => next(requests)));
        }

        if (around is "retries" or "hedging")
        {
            channel.ServiceConfig = new ServiceConfig
            {
                MethodConfigs = [new MethodConfig
                {
                    Names = [new MethodName("test.Service")],
                    RetryPolicy = around == "retries" ? new RetryPolicy() : null,
                    HedgingPolicy = around == "hedging" ? new HedgingPolicy { MaxAttempts = 2, HedgingDelay = TimeSpan.FromHours(1) } : null,
                }],
            };
        }
    });

    /// <summary>Handlers that wait until their call is cancelled.</summary>
    private sealed class Waiting
    {
        public TaskCompletionSource Reached { get; } = new();

        public TaskCompletionSource Cancelled { get; } = new();

        public void Serve(TestService service)
        {
            service.OnUnary = (_, call) => WaitAsync(call);
            service.OnClient = (_, call) => WaitAsync(call);
            service.OnServer = (_, call) => StreamAsync(call);
            service.OnDuplex = (_, call) => StreamAsync(call);
        }

        private async ValueTask<string> WaitAsync(ServerCall call)
        {
            Reached.TrySetResult();
            await call.CancellationToken.FiredAsync();
            Cancelled.TrySetResult();
            return "late";
        }

        private async IAsyncEnumerable<string> StreamAsync(ServerCall call)
        {
            yield return await WaitAsync(call);
        }
    }
}
