using Microsoft.Extensions.Time.Testing;
using Weir.Http2;
using Weir.Rpc.Tests.Support;

namespace Weir.Rpc.Tests;

/// <summary>Several attempts at once by a policy of the service config (gRFC A6).</summary>
public sealed class HedgingTests
{
    [Fact]
    public async Task The_first_answer_counts_and_the_losers_are_cancelled()
    {
        await using var host = CreateHost(new HedgingPolicy { MaxAttempts = 3 });
        var cancelled = new CountdownEvent(2);
        var started = new CountdownEvent(3);
        host.Service.OnUnary = async (request, call) =>
        {
            started.Signal();
            if (call.PreviousAttempts == 1)
            {
                await Task.Run(() => started.Wait(Within.Limit));
                return request;
            }

            await call.CancellationToken.FiredAsync();
            cancelled.Signal();
            return "late";
        };
        Assert.Equal("x", await host.Unary("x").SoonAsync());
        Assert.True(await Task.Run(() => cancelled.Wait(Within.Limit)));
    }

    [Fact]
    public async Task The_next_attempt_starts_after_the_delay()
    {
        var time = new FakeTimeProvider();
        await using var host = CreateHost(new HedgingPolicy { MaxAttempts = 2, HedgingDelay = TimeSpan.FromSeconds(5) }, options => options.TimeProvider = time);
        var (first, second) = (new TaskCompletionSource(), new TaskCompletionSource());
        host.Service.OnUnary = async (_, call) =>
        {
            (call.PreviousAttempts == 0 ? first : second).SetResult();
            if (call.PreviousAttempts == 0)
            {
                await call.CancellationToken.FiredAsync();
            }

            return $"{call.PreviousAttempts}";
        };
        var unary = host.Unary("");
        await first.Task.SoonAsync();
        time.Advance(TimeSpan.FromSeconds(4.9));
        Assert.False(second.Task.IsCompleted);
        time.Advance(TimeSpan.FromSeconds(0.1));
        Assert.Equal("1", await unary.SoonAsync());
    }

    [Fact]
    public async Task A_non_fatal_status_starts_the_next_attempt_at_once_and_a_fatal_one_ends_the_call()
    {
        await using var host = CreateHost(new HedgingPolicy { MaxAttempts = 3, HedgingDelay = TimeSpan.FromHours(1), NonFatalStatusCodes = new HashSet<StatusCode> { StatusCode.Unavailable } });
        var attempts = 0;
        host.Service.OnUnary = (request, call) => ++attempts < 3 ? throw RetryTests.Unavailable : ValueTask.FromResult(request);
        Assert.Equal("x", await host.Unary("x").SoonAsync());
        attempts = -10;
        await host.Unary("x").AsTask().FailsAsync(StatusCode.Unavailable);
        Assert.Equal(-7, attempts); // three, and the last one's status is the call's
        attempts = 0;
        host.Service.OnUnary = (_, _) => throw new RpcException(StatusCode.NotFound, $"{++attempts}");
        await host.Unary("x").AsTask().FailsAsync(StatusCode.NotFound);
        Assert.Equal(1, attempts);
    }

    [Fact]
    public async Task The_server_may_forbid_further_attempts()
    {
        await using var host = CreateHost(new HedgingPolicy { MaxAttempts = 3, HedgingDelay = TimeSpan.FromHours(1), NonFatalStatusCodes = new HashSet<StatusCode> { StatusCode.Unavailable } });
        var attempts = 0;
        host.Service.OnUnary = (_, call) =>
        {
            attempts++;
            call.PushBackRetry(null);
            throw RetryTests.Unavailable;
        };
        await host.Unary("x").AsTask().FailsAsync(StatusCode.Unavailable);
        Assert.Equal(1, attempts);
    }

    [Fact]
    public async Task While_too_many_attempts_fail_calls_are_not_hedged()
    {
        await using var host = CreateHost(
            new HedgingPolicy { MaxAttempts = 3, HedgingDelay = TimeSpan.FromHours(1), NonFatalStatusCodes = new HashSet<StatusCode> { StatusCode.Unavailable } },
            throttling: new RetryThrottling { MaxTokens = 2, TokenRatio = 1 });
        var attempts = 0;
        host.Service.OnUnary = (_, _) =>
        {
            attempts++;
            throw RetryTests.Unavailable;
        };
        await host.Unary("x").AsTask().FailsAsync(StatusCode.Unavailable);
        Assert.Equal(1, attempts);
    }

    [Fact]
    public async Task A_refused_stream_is_tried_again_once_whatever_the_policy_says()
    {
        foreach (var (refusals, code) in new[] { (1, StatusCode.NotFound), (2, StatusCode.Unavailable) })
        {
            await using var server = new RawServer(
                (stream, number) => () =>
                {
                    if (number < refusals)
                    {
                        stream.Reset(Http2ErrorCode.RefusedStream, "not now");
                    }
                    else
                    {
                        stream.SendHeaders(RawServer.Headers(":status=200", "content-type=application/grpc", "grpc-status=5"), endStream: true);
                    }
                },
                channel: options => options.ServiceConfig = new ServiceConfig
                {
                    MethodConfigs = [new MethodConfig { Names = [new("test.Service")], HedgingPolicy = new HedgingPolicy { MaxAttempts = 2, HedgingDelay = TimeSpan.FromHours(1) } }],
                });
            await server.Unary().AsTask().FailsAsync(code);
            Assert.Equal(2, server.Requests);
            Assert.False(server.LastRequest.ContainsKey("grpc-previous-rpc-attempts"));
        }
    }

    [Fact]
    public async Task A_stream_of_requests_goes_to_every_attempt()
    {
        await using var host = CreateHost(new HedgingPolicy { MaxAttempts = 2 });
        var loser = new TaskCompletionSource<string>();
        host.Service.OnClient = async (requests, call) =>
        {
            var all = string.Join(',', await requests.ToListAsync());
            if (call.PreviousAttempts == 0)
            {
                loser.SetResult(all);
                await call.CancellationToken.FiredAsync();
            }

            await loser.Task;
            return all;
        };
        await using var client = host.ClientStream();
        await client.SendAsync("x").SoonAsync();
        await client.SendAsync("y").SoonAsync();
        Assert.Equal("x,y", await client.CompleteAsync().SoonAsync());
        Assert.Equal("x,y", await loser.Task.SoonAsync());
    }

    [Fact]
    public async Task Leaving_the_call_cancels_every_attempt()
    {
        await using var host = CreateHost(new HedgingPolicy { MaxAttempts = 2 });
        var (started, cancelled) = (new CountdownEvent(2), new CountdownEvent(2));
        host.Service.OnUnary = async (_, call) =>
        {
            started.Signal();
            await call.CancellationToken.FiredAsync();
            cancelled.Signal();
            return "late";
        };
        using var stop = new CancellationTokenSource();
        var unary = host.Unary("", cancellationToken: stop.Token);
        Assert.True(await Task.Run(() => started.Wait(Within.Limit)));
        await stop.CancelAsync();
        await unary.AsTask().FailsAsync(StatusCode.Cancelled);
        Assert.True(await Task.Run(() => cancelled.Wait(Within.Limit)));
    }

    private static TestHost CreateHost(HedgingPolicy policy, Action<RpcChannelOptions>? channel = null, RetryThrottling? throttling = null) => new(channel: options =>
    {
        options.ServiceConfig = new ServiceConfig
        {
            MethodConfigs = [new MethodConfig { Names = [new MethodName("test.Service")], HedgingPolicy = policy }],
            RetryThrottling = throttling,
        };
        channel?.Invoke(options);
    });
}
