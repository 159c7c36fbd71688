using Microsoft.Extensions.Time.Testing;
using Weir.Http2;
using Weir.Rpc.Policies;
using Weir.Rpc.Tests.Support;

namespace Weir.Rpc.Tests;

/// <summary>Retries by a policy of the service config (gRFC A6).</summary>
public sealed class RetryTests
{
    private static readonly RetryPolicy ThreeAttempts = new()
    {
        MaxAttempts = 3,
        InitialBackoff = TimeSpan.FromMilliseconds(1),
        MaxBackoff = TimeSpan.FromMilliseconds(1),
    };

    [Fact]
    public async Task A_call_of_every_kind_is_tried_again_with_all_that_was_sent()
    {
        await using var host = CreateHost(ThreeAttempts);
        var attempts = 0;
        host.Service.OnUnary = (request, call) => Fails() ? throw Unavailable : ValueTask.FromResult($"{request}{call.PreviousAttempts}");
        host.Service.OnServer = (request, call) => Fails() ? throw Unavailable : new[] { $"{request}{call.PreviousAttempts}", "y" }.ToAsyncEnumerable();
        host.Service.OnClient = async (requests, call) =>
        {
            var all = string.Join(',', await requests.ToListAsync());
            return Fails() ? throw Unavailable : $"{all}{call.PreviousAttempts}";
        };
        host.Service.OnDuplex = (requests, call) => Duplex(requests);
        var unary = host.Unary("x");
        Assert.Equal("x2", await unary.SoonAsync());
        Assert.True(unary.IsCommitted);
        Assert.Equal(["x2", "y"], await host.ServerStream("x").ToListAsync().SoonAsync());
        await using (var client = host.ClientStream())
        {
            await client.SendAsync("x").SoonAsync();
            await client.SendAsync("y").SoonAsync();
            Assert.Equal("x,y2", await client.CompleteAsync().SoonAsync());
        }

        await using var duplex = host.Duplex();
        await duplex.SendAsync("x").SoonAsync();
        await duplex.SendAsync("y").SoonAsync();
        await duplex.CompleteAsync().SoonAsync();
        Assert.Equal(["x", "y"], await duplex.Responses.ToListAsync().SoonAsync());
        Assert.Equal(12, attempts);

        bool Fails() => ++attempts % 3 != 0;

        async IAsyncEnumerable<string> Duplex(IAsyncEnumerable<string> requests)
        {
            var fails = Fails();
            await foreach (var request in requests)
            {
                if (fails)
                {
                    throw Unavailable;
                }

                yield return request;
            }
        }
    }

    [Fact]
    public async Task After_the_last_attempt_its_status_and_trailers_are_the_calls()
    {
        await using var host = CreateHost(ThreeAttempts);
        var attempts = 0;
        host.Service.OnUnary = (_, call) => throw new RpcException(new Status(StatusCode.Unavailable, "no"), new Metadata { { "attempt", $"{++attempts}" } });
        var error = await host.Unary("").AsTask().FailsAsync(StatusCode.Unavailable);
        Assert.Equal((3, "3"), (attempts, error.Trailers.GetValue("attempt")));
    }

    [Fact]
    public async Task Another_code_is_not_tried_again()
    {
        await using var host = CreateHost(ThreeAttempts);
        var attempts = 0;
        host.Service.OnUnary = (_, _) => throw new RpcException(StatusCode.NotFound, $"{++attempts}");
        await host.Unary("").AsTask().FailsAsync(StatusCode.NotFound);
        Assert.Equal(1, attempts);
    }

    [Fact]
    public async Task A_stream_is_not_tried_again_once_its_headers_are_here()
    {
        await using var host = CreateHost(ThreeAttempts);
        var attempts = 0;
        host.Service.OnDuplex = (requests, call) => HeadersThenFail(requests, call);
        await using var duplex = host.Duplex();
        await duplex.SendAsync("x").SoonAsync();
        Assert.Empty(await duplex.GetResponseHeadersAsync().SoonAsync());
        Assert.True(duplex.IsCommitted);
        await duplex.SendAsync("y").SoonAsync();
        await duplex.Responses.ToListAsync().FailsAsync(StatusCode.Unavailable);
        await Assert.ThrowsAsync<RpcException>(() => SendUntilFailureAsync(duplex).SoonAsync());
        Assert.Equal(1, attempts);

        async IAsyncEnumerable<string> HeadersThenFail(IAsyncEnumerable<string> requests, ServerCall call)
        {
            attempts++;
            await call.SendHeadersAsync([]);
            await requests.Take(2).ToListAsync();
            throw Unavailable;
#pragma warning disable CS0162 // an iterator needs it
            yield break;
#pragma warning restore CS0162
        }
    }

    [Theory]
    [InlineData(100, 1_000_000)]
    [InlineData(1_000_000, 100)]
    public async Task A_call_that_has_sent_more_than_is_kept_is_not_tried_again(int perCall, int perChannel)
    {
        await using var host = CreateHost(ThreeAttempts, options =>
        {
            options.MaxReplayBytesPerCall = perCall;
            options.MaxReplayBytes = perChannel;
        });
        var attempts = 0;
        host.Service.OnClient = async (requests, _) =>
        {
            attempts++;
            await requests.ToListAsync();
            throw Unavailable;
        };
        await using var client = host.ClientStream();
        await client.SendAsync(new string('x', 100)).SoonAsync();
        Assert.False(client.IsCommitted);
        await client.SendAsync("y").SoonAsync();
        Assert.True(client.IsCommitted);
        await client.CompleteAsync().FailsAsync(StatusCode.Unavailable);
        Assert.Equal(1, attempts);
        host.Service.OnUnary = (request, _) => attempts++ == 1 ? throw Unavailable : ValueTask.FromResult(request);
        Assert.Equal(new string('z', 100), await host.Unary(new string('z', 100)).SoonAsync()); // the channel's share is free again
    }

    [Fact]
    public async Task The_wait_grows_up_to_its_limit_and_spreads_by_a_fifth()
    {
        var time = new TimeWithTimers();
        await using var host = CreateHost(
            new RetryPolicy { MaxAttempts = 5, InitialBackoff = TimeSpan.FromSeconds(10), MaxBackoff = TimeSpan.FromSeconds(30), BackoffMultiplier = 2 },
            options =>
            {
                options.TimeProvider = time;
                options.Http2.IdleTimeout = Timeout.InfiniteTimeSpan;
            });
        using var attempts = new SemaphoreSlim(0);
        host.Service.OnUnary = (_, _) =>
        {
            time.ForgetTimers(); // the next one is the wait between attempts
            attempts.Release();
            throw Unavailable;
        };
        var unary = host.Unary("");
        foreach (var (least, most) in new[] { (8, 12), (16, 24), (24, 36), (24, 36) })
        {
            await attempts.WaitAsync().SoonAsync("an attempt");
            var wait = await time.NextTimerAsync();
            Assert.InRange(wait.TotalSeconds, least, most);
            time.Advance(wait - TimeSpan.FromMilliseconds(1));
            Assert.Equal(0, attempts.CurrentCount);
            time.Advance(TimeSpan.FromMilliseconds(1));
        }

        await attempts.WaitAsync().SoonAsync("the last attempt");
        await unary.AsTask().FailsAsync(StatusCode.Unavailable);
        Assert.Equal(0, attempts.CurrentCount);
    }

    [Theory]
    [InlineData(0, 2)]
    [InlineData(null, 1)]
    public async Task The_server_says_when_or_that_not(int? milliseconds, int expected)
    {
        await using var host = CreateHost(new RetryPolicy { MaxAttempts = 2, InitialBackoff = TimeSpan.FromHours(1), MaxBackoff = TimeSpan.FromHours(1) });
        var attempts = 0;
        host.Service.OnUnary = (_, call) =>
        {
            attempts++;
            call.PushBackRetry(TimeSpan.FromDays(1));
            call.PushBackRetry(milliseconds is { } wait ? TimeSpan.FromMilliseconds(wait) : null); // the last one counts
            throw Unavailable;
        };
        await host.Unary("").AsTask().FailsAsync(StatusCode.Unavailable);
        Assert.Equal(expected, attempts);
        host.Service.OnUnary = (_, call) =>
        {
            Assert.Throws<ArgumentOutOfRangeException>(() => call.PushBackRetry(TimeSpan.FromTicks(-1)));
            return ValueTask.FromResult("");
        };
        await host.Unary("").SoonAsync();
    }

    [Fact]
    public async Task While_too_many_attempts_fail_there_are_no_further_ones()
    {
        await using var host = CreateHost(ThreeAttempts, throttling: new RetryThrottling { MaxTokens = 4, TokenRatio = 1 });
        var attempts = 0;
        var fails = true;
        host.Service.OnUnary = (_, _) => ++attempts > 0 && fails ? throw Unavailable : ValueTask.FromResult("");
        await host.Unary("").AsTask().FailsAsync(StatusCode.Unavailable);
        Assert.Equal(2, attempts); // 4 tokens, then 3, then 2, which is half
        await host.Unary("").AsTask().FailsAsync(StatusCode.Unavailable);
        Assert.Equal(3, attempts);
        fails = false;
        await host.Unary("").SoonAsync();
        await host.Unary("").SoonAsync();
        fails = true;
        attempts = 0;
        await host.Unary("").AsTask().FailsAsync(StatusCode.Unavailable);
        Assert.Equal(1, attempts); // 3 tokens again, and 2 after the failure
    }

    [Fact]
    public async Task The_callers_token_ends_the_wait_between_attempts()
    {
        await using var host = CreateHost(new RetryPolicy { InitialBackoff = TimeSpan.FromHours(1), MaxBackoff = TimeSpan.FromHours(1) });
        host.Service.OnUnary = (_, _) => throw Unavailable;
        using var stop = new CancellationTokenSource();
        var unary = host.Unary("", cancellationToken: stop.Token);
        host.Service.OnServer = (_, _) => AsyncEnumerable.Empty<string>();
        Assert.Empty(await host.ServerStream("").ToListAsync().SoonAsync());
        await stop.CancelAsync();
        await unary.AsTask().FailsAsync(StatusCode.Cancelled);
    }

    [Fact]
    public async Task The_deadline_ends_the_wait_between_attempts()
    {
        var time = new TimeWithTimers();
        await using var host = CreateHost(new RetryPolicy { InitialBackoff = TimeSpan.FromHours(1), MaxBackoff = TimeSpan.FromHours(1) }, options => options.TimeProvider = time);
        var failed = new TaskCompletionSource();
        host.Service.OnUnary = (_, _) =>
        {
            time.ForgetTimers(); // the next one is the wait between attempts
            failed.SetResult();
            throw Unavailable;
        };
        var unary = host.Unary("", new CallOptions { Timeout = TimeSpan.FromSeconds(5) });
        await failed.Task.SoonAsync();
        Assert.Equal(TimeSpan.FromSeconds(5), await time.NextTimerAsync()); // until the deadline, not for an hour
        time.Advance(TimeSpan.FromSeconds(5));
        await unary.AsTask().FailsAsync(StatusCode.DeadlineExceeded);
    }

    [Fact]
    public async Task A_committed_call_still_ends_with_the_callers_token()
    {
        await using var host = CreateHost(ThreeAttempts);
        host.Service.OnServer = (_, call) => OneThenWait(call);
        using var stop = new CancellationTokenSource();
        await using var responses = host.ServerStream("", cancellationToken: stop.Token).GetAsyncEnumerator();
        Assert.True(await responses.MoveNextAsync().SoonAsync());
        await stop.CancelAsync();
        await responses.MoveNextAsync().AsTask().FailsAsync(StatusCode.Cancelled);
    }

    [Fact]
    public async Task A_message_larger_than_the_methods_limit_is_not_sent()
    {
        await using var host = new TestHost(channel: options => options.ServiceConfig = new ServiceConfig
        {
            MethodConfigs = [
                new MethodConfig { Names = [new("test.Service", "Unary")], MaxRequestMessageBytes = 3, MaxResponseMessageBytes = 4, RetryPolicy = ThreeAttempts },
                new MethodConfig { Names = [new("test.Service", "Client")], MaxRequestMessageBytes = 3, MaxResponseMessageBytes = 4 }],
        });
        host.Service.OnUnary = (request, _) => ValueTask.FromResult(request + request);
        host.Service.OnClient = async (requests, _) => string.Concat(await requests.ToListAsync());
        Assert.Equal("xxxx", await host.Unary("xx").SoonAsync());
        await host.Unary("xxxx").AsTask().FailsAsync(StatusCode.ResourceExhausted);
        await host.Unary("xxx").AsTask().FailsAsync(StatusCode.ResourceExhausted); // the response is too large
        await using var client = host.ClientStream();
        await Assert.ThrowsAsync<RpcException>(() => client.SendAsync("xxxx").SoonAsync());
        await client.SendAsync("xxx").SoonAsync();
        Assert.Equal("xxx", await client.CompleteAsync().SoonAsync());
    }

    [Fact]
    public async Task The_methods_timeout_holds_when_it_is_the_earlier_one()
    {
        var time = new FakeTimeProvider();
        await using var host = new TestHost(
            server => server.TimeProvider = time,
            options =>
            {
                options.TimeProvider = time;
                options.ServiceConfig = ServiceConfig.Parse("""{ "methodConfig": [ { "name": [ {} ], "timeout": "5s" } ] }""");
            });
        host.Service.OnUnary = (_, call) => ValueTask.FromResult($"{(call.Deadline - time.GetUtcNow())?.TotalSeconds}");
        Assert.Equal("5", await host.Unary("").SoonAsync());
        Assert.Equal("4", await host.Unary("", new CallOptions { Timeout = TimeSpan.FromSeconds(4) }).SoonAsync());
        Assert.Equal("5", await host.Unary("", new CallOptions { Timeout = TimeSpan.FromSeconds(6) }).SoonAsync());
    }

    [Fact]
    public async Task A_refused_stream_is_tried_again_beside_the_policys_count()
    {
        var attempts = new List<string?>();
        await using var server = new RawServer(
            (stream, number) => () =>
            {
                if (number == 0)
                {
                    stream.Reset(Http2ErrorCode.RefusedStream, "not now");
                }
                else
                {
                    stream.SendHeaders(RawServer.Headers(":status=200", "content-type=application/grpc", "grpc-status=14"), endStream: true);
                }
            },
            channel: options => options.ServiceConfig = Config(new RetryPolicy { MaxAttempts = 2, InitialBackoff = TimeSpan.FromMilliseconds(1) }));
        await server.Unary().AsTask().FailsAsync(StatusCode.Unavailable);
        Assert.Equal(3, server.Requests); // the refused one, and two
        Assert.Equal("1", server.LastRequest["grpc-previous-rpc-attempts"]);
    }

    [Fact]
    public async Task A_stream_without_messages_yet_is_tried_again_once_beside_the_policys_count()
    {
        await using var server = new RawServer(
            (stream, _) => () => stream.Reset(Http2ErrorCode.RefusedStream, "not now"),
            channel: options => options.ServiceConfig = Config(new RetryPolicy { MaxAttempts = 2, InitialBackoff = TimeSpan.FromMilliseconds(1) }));
        await using var call = server.Channel.DuplexStreaming(TestService.DuplexMethod, default, default);
        await call.Responses.ToListAsync().FailsAsync(StatusCode.Unavailable);
        Assert.Equal(3, server.Requests); // the refused one, and two
    }

    [Fact]
    public async Task Empty_messages_count_against_what_is_kept()
    {
        await using var host = CreateHost(ThreeAttempts, options => options.MaxReplayBytesPerCall = 10 * ReplayBuffer.LeastBytes);
        var attempts = 0;
        host.Service.OnClient = async (requests, _) =>
        {
            attempts++;
            await requests.ToListAsync();
            throw Unavailable;
        };
        await using var client = host.ClientStream();
        for (var i = 0; i < 10; i++)
        {
            await client.SendAsync("").SoonAsync();
            Assert.False(client.IsCommitted);
        }

        await client.SendAsync("").SoonAsync();
        Assert.True(client.IsCommitted);
        await client.CompleteAsync().FailsAsync(StatusCode.Unavailable);
        Assert.Equal(1, attempts);
    }

    [Fact]
    public async Task Any_message_that_is_kept_is_found_at_once()
    {
        const int Messages = 300_000; // so many that looking through them for each would take minutes
        var budget = new ReplayBudget(long.MaxValue);
        var buffer = new ReplayBuffer(budget, int.MaxValue);
        await Task.Run(() =>
        {
            for (var i = 0; i < Messages; i++)
            {
                Assert.True(buffer.Add(new ReplayMessage([(byte)i], uncompressed: false)));
            }

            for (var i = 0; i < Messages; i++)
            {
                Assert.Equal((byte)i, buffer.Get(i)!.Payload[0]);
            }

            Assert.Null(buffer.Get(Messages));
            buffer.Forget(Messages - 3);
            Assert.Equal([.. Enumerable.Range(Messages - 3, 3).Select(i => (byte)i)], buffer.Clear().Select(message => message.Payload[0]).ToArray());
            Assert.True(budget.TryTake(1));
        }).SoonAsync("the messages to be kept and found");
    }

    [Fact]
    public async Task Rules_of_use_hold_for_a_call_with_a_policy()
    {
        await using var host = CreateHost(ThreeAttempts);
        host.Service.OnDuplex = (requests, _) => requests;
        await using var duplex = host.Duplex();
        Assert.Throws<InvalidOperationException>(() => duplex.Trailers);
        Assert.True(duplex.TrySend("x"));
        await duplex.CompleteAsync().SoonAsync();
        Assert.Throws<InvalidOperationException>(() => duplex.TrySend("y"));
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await duplex.SendAsync("y"));
        Assert.Equal(["x"], await duplex.Responses.ToListAsync().SoonAsync());
        Assert.Throws<InvalidOperationException>(() => duplex.Responses.GetAsyncEnumerator());
        Assert.Empty(duplex.Trailers);
    }

    internal static RpcException Unavailable => new(StatusCode.Unavailable, "not now");

    internal static async IAsyncEnumerable<string> OneThenWait(ServerCall call)
    {
        yield return "one";
        await call.CancellationToken.FiredAsync();
    }

    private static async Task SendUntilFailureAsync(DuplexStreamingCall<string, string> call)
    {
        while (true)
        {
            await call.SendAsync("x");
            await Task.Yield();
        }
    }

    private static ServiceConfig Config(RetryPolicy policy, RetryThrottling? throttling = null) => new()
    {
        MethodConfigs = [new MethodConfig { Names = [new MethodName("test.Service")], RetryPolicy = policy }],
        RetryThrottling = throttling,
    };

    private static TestHost CreateHost(RetryPolicy policy, Action<RpcChannelOptions>? channel = null, RetryThrottling? throttling = null) => new(channel: options =>
    {
        options.ServiceConfig = Config(policy, throttling);
        channel?.Invoke(options);
    });
}
