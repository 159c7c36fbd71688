using Microsoft.Extensions.Time.Testing;
using Weir.Rpc.Tests.Support;

namespace Weir.Rpc.Tests;

/// <summary>Limits of single waits, apart from the call's deadline.</summary>
public sealed class MessageTimeoutTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(5);
    private readonly FakeTimeProvider _time = new();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_client_that_waits_too_long_for_a_response_cancels_the_call(bool retries)
    {
        await using var host = CreateHost(channel: options => options.ServiceConfig = retries
            ? new ServiceConfig { MethodConfigs = [new MethodConfig { Names = [new("")], RetryPolicy = new RetryPolicy() }] }
            : null);
        var (next, cancelled) = (new TaskCompletionSource(), new TaskCompletionSource());
        host.Service.OnServer = (_, call) => Send(call);
        var stream = host.ServerStream("", new CallOptions { MessageTimeout = Limit });
        await using var responses = stream.GetAsyncEnumerator();
        Assert.True(await responses.MoveNextAsync().SoonAsync());
        _time.Advance(Limit * 2); // nobody waits: no limit
        var second = responses.MoveNextAsync().AsTask();
        _time.Advance(Limit * 0.9);
        Assert.False(second.IsCompleted);
        next.SetResult();
        Assert.True(await second.SoonAsync());
        var third = responses.MoveNextAsync().AsTask();
        _time.Advance(Limit * 0.9);
        Assert.False(third.IsCompleted); // each wait has the whole limit
        _time.Advance(Limit * 0.1);
        var error = await third.FailsAsync(StatusCode.DeadlineExceeded);
        Assert.Contains("no message came for 5 s", error.Status.Detail, StringComparison.Ordinal);
        await cancelled.Task.SoonAsync();

        async IAsyncEnumerable<string> Send(ServerCall call)
        {
            yield return "one";
            await next.Task;
            yield return "two";
            await call.CancellationToken.FiredAsync();
            cancelled.SetResult();
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_single_response_that_takes_too_long_cancels_the_call(bool retries)
    {
        await using var host = CreateHost(channel: options => options.ServiceConfig = retries
            ? new ServiceConfig { MethodConfigs = [new MethodConfig { Names = [new("")], RetryPolicy = new RetryPolicy() }] }
            : null);
        var started = new TaskCompletionSource();
        host.Service.OnUnary = async (_, call) =>
        {
            started.SetResult();
            await call.CancellationToken.FiredAsync();
            return "late";
        };
        var unary = host.Unary("", new CallOptions { MessageTimeout = Limit });
        await started.Task.SoonAsync();
        _time.Advance(Limit);
        await unary.AsTask().FailsAsync(StatusCode.DeadlineExceeded);
    }

    [Fact]
    public async Task A_client_whose_send_waits_too_long_cancels_the_call()
    {
        await using var host = CreateHost();
        host.Service.OnClient = async (_, call) =>
        {
            await call.CancellationToken.FiredAsync();
            return "late";
        };
        await using var client = host.ClientStream(new CallOptions { SendTimeout = Limit });
        var send = client.SendAsync(new string('x', 3_000_000)).AsTask(); // more than the window
        _time.Advance(Limit);
        var error = await send.FailsAsync(StatusCode.DeadlineExceeded);
        Assert.Contains("no message could be sent for 5 s", error.Status.Detail, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Behind_interceptors_the_limit_is_of_the_callers_waits(int interceptors)
    {
        await using var host = CreateHost(channel: options =>
        {
            for (var i = 0; i < interceptors; i++)
            {
                options.Interceptors.Add(new ClientHook((_, requests, next) => next(requests)));
            }
        });
        var (started, next, cancelled) = (new TaskCompletionSource(), new TaskCompletionSource(), new TaskCompletionSource());
        host.Service.OnDuplex = (requests, call) => Send(requests, call);
        host.Service.OnUnary = async (_, call) =>
        {
            started.SetResult();
            await call.CancellationToken.FiredAsync();
            return "late";
        };
        await using var duplex = host.Channel.Intercept(new ClientHook((_, requests, next) => next(requests)))
            .DuplexStreaming(TestService.DuplexMethod, new CallOptions { MessageTimeout = Limit }, default);
        await duplex.GetResponseHeadersAsync().SoonAsync();
        _time.Advance(Limit * 3); // the interceptors wait for the first message by now, the caller does not
        await duplex.SendAsync("one").SoonAsync();
        await using var responses = duplex.Responses.GetAsyncEnumerator();
        Assert.True(await responses.MoveNextAsync().SoonAsync());
        Assert.Equal("one", responses.Current);
        var second = responses.MoveNextAsync().AsTask();
        _time.Advance(Limit * 0.9);
        Assert.False(second.IsCompleted);
        _time.Advance(Limit * 0.1);
        var error = await second.FailsAsync(StatusCode.DeadlineExceeded);
        Assert.Contains("no message came for 5 s", error.Status.Detail, StringComparison.Ordinal);
        await cancelled.Task.SoonAsync();

        var unary = host.Unary("", new CallOptions { MessageTimeout = Limit });
        await started.Task.SoonAsync();
        _time.Advance(Limit);
        await unary.AsTask().FailsAsync(StatusCode.DeadlineExceeded);

        async IAsyncEnumerable<string> Send(IAsyncEnumerable<string> requests, ServerCall call)
        {
            await call.SendHeadersAsync([]);
            await foreach (var request in requests)
            {
                yield return request;
                break;
            }

            await call.CancellationToken.FiredAsync();
            cancelled.SetResult();
        }
    }

    [Fact]
    public async Task A_client_behind_an_interceptor_whose_send_waits_too_long_cancels_the_call()
    {
        await using var host = CreateHost(channel: options => options.Interceptors.Add(new ClientHook((_, requests, next) => next(requests))));
        var started = new TaskCompletionSource();
        host.Service.OnClient = async (_, call) =>
        {
            started.SetResult();
            await call.CancellationToken.FiredAsync();
            return "late";
        };
        await using var client = host.ClientStream(new CallOptions { SendTimeout = Limit });
        await client.SendAsync(new string('x', 3_000_000)).SoonAsync(); // more than the window; the interceptor has it
        await started.Task.SoonAsync();
        var response = client.CompleteAsync();
        while (!response.IsCompleted)
        {
            _time.Advance(Limit);
            await Task.Yield();
        }

        var error = await response.FailsAsync(StatusCode.DeadlineExceeded);
        Assert.Contains("no message could be sent for 5 s", error.Status.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_that_waits_too_long_for_a_request_ends_the_call()
    {
        await using var host = CreateHost(server: options => options.MessageTimeout = Limit);
        var (first, cancelled) = (new TaskCompletionSource(), new TaskCompletionSource());
        host.Service.OnClient = async (requests, call) =>
        {
            try
            {
                await foreach (var request in requests)
                {
                    ThreadPool.QueueUserWorkItem(_ => first.SetResult());
                }
            }
            catch (OperationCanceledException)
            {
                cancelled.SetResult();
                throw;
            }

            return "unreachable";
        };
        await using var client = host.ClientStream();
        await client.SendAsync("x").SoonAsync();
        await first.Task.SoonAsync();
        host.Service.OnUnary = (_, _) => ValueTask.FromResult("");
        await host.Unary("").SoonAsync(); // the handler waits again by now, or does at the next step
        while (!cancelled.Task.IsCompleted)
        {
            _time.Advance(Limit);
            await Task.Yield();
        }

        var error = await client.CompleteAsync().FailsAsync(StatusCode.DeadlineExceeded);
        Assert.Contains("no message came for 5 s", error.Status.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void The_limits_are_above_zero()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => new CallOptions { MessageTimeout = TimeSpan.Zero });
        Assert.Throws<ArgumentOutOfRangeException>(() => new CallOptions { SendTimeout = TimeSpan.Zero });
        Assert.Throws<ArgumentOutOfRangeException>(() => new RpcServerOptions { MessageTimeout = TimeSpan.Zero });
        Assert.Throws<ArgumentOutOfRangeException>(() => new RpcServerOptions { SendTimeout = TimeSpan.Zero });
    }

    private TestHost CreateHost(Action<RpcServerOptions>? server = null, Action<RpcChannelOptions>? channel = null) => new(
        options =>
        {
            options.TimeProvider = _time;
            options.Http2.IdleTimeout = Timeout.InfiniteTimeSpan;
            server?.Invoke(options);
        },
        options =>
        {
            options.TimeProvider = _time;
            options.Http2.IdleTimeout = Timeout.InfiniteTimeSpan;
            channel?.Invoke(options);
        });
}
