using System.Runtime.CompilerServices;
using Weir.Rpc.Tests.Support;

namespace Weir.Rpc.Tests;

/// <summary>Laws 1, 2 and 5: cancellation reaches the other side, a call owns its tasks, leaving early cancels.</summary>
public sealed class CancellationTests
{
    [Fact]
    public async Task Leaving_the_responses_early_cancels_the_call_on_the_server()
    {
        await using var host = new TestHost();
        var (cancelled, disposed) = (new TaskCompletionSource(), new TaskCompletionSource());
        host.Service.OnServer = (_, call) => Endless(call, cancelled, disposed);
        await foreach (var message in host.ServerStream(""))
        {
            if (message == "3")
            {
                break;
            }
        }

        await cancelled.Task.SoonAsync();
        await disposed.Task.SoonAsync();
    }

    [Fact]
    public async Task Responses_that_were_left_are_not_taken_for_their_end()
    {
        await using var host = new TestHost();
        host.Service.OnServer = (_, _) => CallEndTests.Numbers(10);
        var call = host.ServerStream("");
        await call.GetResponseHeadersAsync().SoonAsync();
        while (!HasTrailers(call))
        {
            await Task.Yield();
        }

        await call.DisposeAsync().SoonAsync();
        await call.ToListAsync().FailsAsync(StatusCode.Cancelled); // the server has ended it with OK, but nobody has read that far

        static bool HasTrailers(ServerStreamingCall<string> call)
        {
            try
            {
                return call.Trailers.Count == 0;
            }
            catch (InvalidOperationException)
            {
                return false;
            }
        }
    }

    [Fact]
    public async Task Disposing_of_a_call_cancels_it()
    {
        await using var host = new TestHost();
        var seen = new TaskCompletionSource();
        host.Service.OnClient = async (requests, call) =>
        {
            seen.SetResult();
            await requests.ToListAsync();
            return "never";
        };
        var call = host.ClientStream();
        await call.SendAsync("x").SoonAsync();
        await seen.Task.SoonAsync();
        await call.DisposeAsync().SoonAsync();
        var error = await call.SendAsync("y").SoonAsync().FailsAsync(StatusCode.Cancelled);
        Assert.Equal("the caller disposed of the call", error.Status.Detail);
        await call.CompleteAsync().FailsAsync(StatusCode.Cancelled);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task The_callers_token_ends_the_call_on_both_sides_with_Cancelled(bool beforeTheCall)
    {
        await using var host = new TestHost();
        var (started, cancelled) = (new TaskCompletionSource(), new TaskCompletionSource());
        host.Service.OnUnary = async (_, call) =>
        {
            started.SetResult();
            await call.CancellationToken.FiredAsync();
            cancelled.SetResult();
            throw new OperationCanceledException(call.CancellationToken);
        };
        using var source = new CancellationTokenSource();
        if (beforeTheCall)
        {
            await source.CancelAsync();
        }

        var unary = host.Unary("", default, source.Token);
        if (!beforeTheCall)
        {
            await started.Task.SoonAsync();
        }

        await source.CancelAsync();
        await unary.AsTask().FailsAsync(StatusCode.Cancelled);
        await Assert.ThrowsAsync<RpcException>(() => unary.GetResponseHeadersAsync().SoonAsync());
        if (!beforeTheCall)
        {
            await cancelled.Task.SoonAsync();
        }
        else
        {
            Assert.Equal(0, host.Connections);
        }
    }

    [Fact]
    public async Task The_token_of_an_enumeration_ends_its_call_with_Cancelled()
    {
        await using var host = new TestHost();
        var (cancelled, disposed) = (new TaskCompletionSource(), new TaskCompletionSource());
        host.Service.OnServer = (_, call) => Pausing(call, cancelled, disposed);
        using var source = new CancellationTokenSource();
        await using var responses = host.ServerStream("").GetAsyncEnumerator(source.Token);
        Assert.True(await responses.MoveNextAsync().SoonAsync());
        var next = responses.MoveNextAsync().AsTask();
        Assert.False(next.IsCompleted);
        await source.CancelAsync();
        await next.FailsAsync(StatusCode.Cancelled);
        await cancelled.Task.SoonAsync();
        await disposed.Task.SoonAsync();
    }

    [Fact]
    public async Task The_token_of_an_enumeration_of_requests_ends_only_the_enumeration()
    {
        await using var host = new TestHost();
        var ended = new TaskCompletionSource();
        host.Service.OnClient = async (requests, call) =>
        {
            using var source = new CancellationTokenSource();
            await using var messages = requests.GetAsyncEnumerator(source.Token);
            Assert.True(await messages.MoveNextAsync());
            var next = messages.MoveNextAsync().AsTask();
            await source.CancelAsync();
            var error = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => next);
            Assert.Equal(source.Token, error.CancellationToken);
            Assert.False(call.CancellationToken.IsCancellationRequested);
            ended.SetResult();
            return "done";
        };
        await using var call = host.ClientStream();
        await call.SendAsync("x").SoonAsync();
        await ended.Task.SoonAsync();
        Assert.Equal("done", await call.CompleteAsync().SoonAsync());
    }

    [Fact]
    public async Task A_send_that_waits_is_cancelled_by_its_own_token_and_the_call_goes_on()
    {
        await using var host = new TestHost();
        var go = new TaskCompletionSource();
        host.Service.OnClient = async (requests, _) =>
        {
            await go.Task;
            return $"{(await requests.ToListAsync()).Count}";
        };
        await using var call = host.ClientStream();
        var sends = Enumerable.Range(0, 40).Select(_ => call.SendAsync(new string('x', 60_000)).AsTask()).ToList(); // the window is 1 MiB
        using var source = new CancellationTokenSource();
        var cancelled = call.SendAsync("cancelled", source.Token).AsTask();
        await source.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cancelled.SoonAsync());
        Assert.False(sends[^1].IsCompleted);
        go.SetResult();
        await Task.WhenAll(sends).SoonAsync();
        Assert.Equal("40", await call.CompleteAsync().SoonAsync());
    }

    [Fact]
    public async Task A_lost_connection_is_Unavailable_for_the_client_and_cancels_the_handler()
    {
        await using var host = new TestHost();
        var (cancelled, disposed) = (new TaskCompletionSource(), new TaskCompletionSource());
        host.Service.OnServer = (_, call) => Pausing(call, cancelled, disposed);
        await using var responses = host.ServerStream("").GetAsyncEnumerator();
        Assert.True(await responses.MoveNextAsync().SoonAsync());
        var next = responses.MoveNextAsync().AsTask();
        host.Cut();
        await next.FailsAsync(StatusCode.Unavailable);
        await cancelled.Task.SoonAsync();
        await disposed.Task.SoonAsync();
    }

    [Fact]
    public async Task A_handler_that_reads_learns_of_the_clients_end_as_a_cancellation()
    {
        await using var host = new TestHost();
        var read = new TaskCompletionSource<Exception?>();
        host.Service.OnClient = async (requests, _) =>
        {
            try
            {
                await requests.ToListAsync();
                read.SetResult(null);
            }
            catch (Exception error)
            {
                read.SetResult(error);
                throw;
            }

            return "never";
        };
        var call = host.ClientStream();
        await call.SendAsync("x").SoonAsync();
        await call.DisposeAsync().SoonAsync();
        Assert.IsAssignableFrom<OperationCanceledException>(await read.Task.SoonAsync());
    }

    [Fact]
    public async Task A_call_ends_after_its_tasks_and_what_they_send_arrives()
    {
        await using var host = new TestHost();
        host.Service.OnDuplex = (requests, call) =>
        {
            var sender = call.GetSender<string>();
            call.Run(async token =>
            {
                await foreach (var request in requests.WithCancellation(token))
                {
                    await sender.SendAsync($"task {request}", token);
                }
            });
            return CallEndTests.Numbers(1);
        };
        await using var call = host.Duplex();
        await using var responses = call.Responses.GetAsyncEnumerator();
        Assert.True(await responses.MoveNextAsync().SoonAsync());
        Assert.Equal("0", responses.Current); // the handler has ended; its task has not
        await call.SendAsync("a").SoonAsync();
        Assert.True(await responses.MoveNextAsync().SoonAsync());
        Assert.Equal("task a", responses.Current);
        await call.CompleteAsync().SoonAsync();
        Assert.False(await responses.MoveNextAsync().SoonAsync());
    }

    [Fact]
    public async Task A_failing_handler_cancels_its_tasks_and_waits_for_them()
    {
        await using var host = new TestHost();
        var ended = false;
        host.Service.OnUnary = (_, call) =>
        {
            call.Run(async token =>
            {
                await token.FiredAsync();
                await Task.Yield();
                ended = true;
            });
            throw new RpcException(StatusCode.Aborted, "handler");
        };
        await host.Unary("").AsTask().FailsAsync(StatusCode.Aborted);
        Assert.True(ended);
    }

    [Fact]
    public async Task A_failing_task_cancels_the_handler_and_is_the_calls_status()
    {
        await using var host = new TestHost();
        host.Service.OnUnary = async (_, call) =>
        {
            call.Run(_ => throw new RpcException(StatusCode.Aborted, "task"));
            await Task.Delay(Timeout.Infinite, call.CancellationToken);
            return "never";
        };
        var error = await host.Unary("").AsTask().FailsAsync(StatusCode.Aborted);
        Assert.Equal("task", error.Status.Detail);
    }

    [Fact]
    public async Task A_task_that_fails_otherwise_is_logged_once()
    {
        await using var host = new TestHost { ExpectedErrors = ["1 The handler"] };
        host.Service.OnUnary = (request, call) =>
        {
            call.Run(_ => throw new FormatException("secret"));
            return ValueTask.FromResult(request);
        };
        var error = await host.Unary("").AsTask().FailsAsync(StatusCode.Internal);
        Assert.Equal("The handler failed.", error.Status.Detail);
    }

    [Fact]
    public async Task An_ended_call_starts_no_tasks_and_sends_nothing()
    {
        await using var host = new TestHost();
        ServerCall? kept = null;
        host.Service.OnServer = (_, call) =>
        {
            kept = call;
            return CallEndTests.Numbers(1);
        };
        await host.ServerStream("").ToListAsync().SoonAsync();
        await host.Channel.DisposeAsync().SoonAsync();
        await host.AllServedAsync().SoonAsync();
        Assert.Throws<InvalidOperationException>(() => kept!.Run(_ => Task.CompletedTask));
        Assert.False(kept!.GetSender<string>().TrySend("x"));
        await Assert.ThrowsAsync<InvalidOperationException>(() => kept.GetSender<string>().SendAsync("x").SoonAsync());
        await Assert.ThrowsAsync<InvalidOperationException>(() => kept.SendHeadersAsync([]).SoonAsync());
        Assert.False(kept.CancellationToken.IsCancellationRequested);
    }

    [Fact]
    public async Task A_failing_cancellation_callback_is_logged_and_does_no_harm()
    {
        await using var host = new TestHost { ExpectedErrors = ["3 A callback"] };
        var started = new TaskCompletionSource();
        host.Service.OnUnary = async (_, call) =>
        {
            call.CancellationToken.Register(() => throw new FormatException());
            started.SetResult();
            await Task.Delay(Timeout.Infinite, call.CancellationToken);
            return "";
        };
        using var source = new CancellationTokenSource();
        var unary = host.Unary("", default, source.Token);
        await started.Task.SoonAsync();
        await source.CancelAsync();
        await unary.AsTask().FailsAsync(StatusCode.Cancelled);
    }

    private static async IAsyncEnumerable<string> Endless(ServerCall call, TaskCompletionSource cancelled, TaskCompletionSource disposed)
    {
        call.CancellationToken.UnsafeRegister(static state => ((TaskCompletionSource)state!).TrySetResult(), cancelled);
        try
        {
            for (var i = 0; ; i++)
            {
                await Task.Yield();
                yield return $"{i}";
            }
        }
        finally
        {
            disposed.TrySetResult();
        }
    }

    private static async IAsyncEnumerable<string> Pausing(
        ServerCall call, TaskCompletionSource cancelled, TaskCompletionSource disposed, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        Assert.Equal(call.CancellationToken, cancellationToken);
        yield return "first";
        try
        {
            await Task.Delay(Timeout.Infinite, cancellationToken);
        }
        catch (OperationCanceledException)
        {
            cancelled.TrySetResult();
            throw;
        }
        finally
        {
            disposed.TrySetResult();
        }
    }
}
