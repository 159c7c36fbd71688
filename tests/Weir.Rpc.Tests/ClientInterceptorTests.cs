using Microsoft.Extensions.Time.Testing;
using Weir.Rpc.Tests.Support;

namespace Weir.Rpc.Tests;

/// <summary>Interceptors of a client: all four kinds, everything that they may change, and every way a call ends.</summary>
public sealed class ClientInterceptorTests
{
    [Fact]
    public async Task The_first_interceptor_is_the_outermost_for_every_kind()
    {
        await using var host = CreateHost(ClientHook.Marking("c"), ClientHook.Marking("d"));
        Echo(host);
        var invoker = host.Channel.Intercept(ClientHook.Marking("a"), ClientHook.Marking("b"));
        const string Expected = "xabcddcba"; // out through a, b and then the channel's c, d; back the other way
        Assert.Equal(Expected, await invoker.Unary(TestService.UnaryMethod, "x", default, default).SoonAsync());
        Assert.Equal([Expected], await invoker.ServerStreaming(TestService.ServerMethod, "x", default, default).ToListAsync().SoonAsync());

        await using var client = invoker.ClientStreaming(TestService.ClientMethod, default, default);
        await client.SendAsync("x").SoonAsync();
        await client.SendAsync("y").SoonAsync();
        Assert.Equal("xabcd,yabcddcba", await client.CompleteAsync().SoonAsync());

        await using var duplex = invoker.DuplexStreaming(TestService.DuplexMethod, default, default);
        await using var responses = duplex.Responses.GetAsyncEnumerator();
        foreach (var text in new[] { "x", "y" })
        {
            await duplex.SendAsync(text).SoonAsync();
            Assert.True(await responses.MoveNextAsync().SoonAsync());
            Assert.Equal($"{text}abcddcba", responses.Current);
        }

        await duplex.CompleteAsync().SoonAsync();
        Assert.False(await responses.MoveNextAsync().SoonAsync());
    }

    [Fact]
    public async Task Messages_may_be_dropped_and_added_both_ways()
    {
        await using var host = CreateHost(new ClientHook((_, requests, next) => next(requests.Where(text => text != "drop").Prepend("first")).Where(text => text != "no").Append("last")));
        Echo(host);
        await using var duplex = host.Duplex();
        foreach (var text in new[] { "drop", "no", "yes" })
        {
            await duplex.SendAsync(text).SoonAsync();
        }

        await duplex.CompleteAsync().SoonAsync();
        Assert.Equal(["first", "yes", "last"], await duplex.Responses.ToListAsync().SoonAsync());
    }

    [Fact]
    public async Task Metadata_are_seen_and_changed_both_ways()
    {
        List<string> order = [];
        await using var host = CreateHost(
            new ClientHook((call, requests, next) =>
            {
                call.OnResponseHeaders(headers => order.Add($"outer {headers.GetValue("from-server")} {headers.GetValue("inner")}"));
                return next(requests).OnEnd(error =>
                {
                    call.Trailers.Add("added", "outer");
                    return error;
                });
            }),
            new ClientHook((call, requests, next) =>
            {
                call.RequestHeaders.Remove("secret");
                call.RequestHeaders.Add("added", call.Path);
                call.OnResponseHeaders(headers =>
                {
                    order.Add("inner");
                    headers.Add("inner", "1");
                });
                return next(requests);
            }));
        host.Service.OnUnary = async (_, call) =>
        {
            var sent = new Metadata { { "from-server", "h" } };
            await call.SendHeadersAsync(sent);
            call.ResponseTrailers.Add("from-server", "t");
            return $"{call.RequestHeaders.GetValue("secret")} {call.RequestHeaders.GetValue("kept")} {call.RequestHeaders.GetValue("added")}";
        };
        var headers = new Metadata { { "secret", "1" }, { "kept", "2" } };
        var unary = host.Unary("", new CallOptions { Headers = headers });
        Assert.Equal(" 2 /test.Service/Unary", await unary.SoonAsync());
        Assert.Equal("1", headers.GetValue("secret")); // the caller's own object is as it was
        Assert.Equal("1", (await unary.GetResponseHeadersAsync().SoonAsync()).GetValue("inner"));
        Assert.Equal(["inner", "outer h 1"], order);
        Assert.Equal(("t", "outer"), (unary.Trailers.GetValue("from-server"), unary.Trailers.GetValue("added")));
    }

    [Fact]
    public async Task The_status_is_seen_and_changed()
    {
        Exception? seen = null;
        await using var host = CreateHost(new ClientHook((_, requests, next) => next(requests).OnEnd(error =>
        {
            seen = error;
            return error is RpcException { StatusCode: StatusCode.NotFound } ? new RpcException(StatusCode.DataLoss, "worse") : null;
        })));
        host.Service.OnServer = (request, _) => Fail(request == "not found" ? StatusCode.NotFound : StatusCode.Aborted);
        await host.ServerStream("not found").ToListAsync().FailsAsync(StatusCode.DataLoss);
        Assert.Equal(StatusCode.NotFound, Assert.IsType<RpcException>(seen).StatusCode);
        Assert.Equal(["one"], await host.ServerStream("aborted").ToListAsync().SoonAsync());
        Assert.Equal(StatusCode.Aborted, Assert.IsType<RpcException>(seen).StatusCode);

        static async IAsyncEnumerable<string> Fail(StatusCode code)
        {
            yield return "one";
            await Task.Yield();
            throw new RpcException(code, "so it is");
        }
    }

    [Fact]
    public async Task An_error_keeps_its_trailers()
    {
        await using var host = CreateHost(ClientHook.Marking("a"));
        host.Service.OnUnary = (_, _) => throw new RpcException(new Status(StatusCode.NotFound, "no"), new Metadata { { "why", "because" } });
        var unary = host.Unary("");
        var error = await unary.AsTask().FailsAsync(StatusCode.NotFound);
        Assert.Equal("because", error.Trailers.GetValue("why"));
        Assert.Equal("because", unary.Trailers.GetValue("why"));
        Assert.Equal(error, await Assert.ThrowsAsync<RpcException>(() => unary.GetResponseHeadersAsync().SoonAsync()));
    }

    [Fact]
    public async Task An_interceptor_may_answer_without_a_call()
    {
        await using var host = CreateHost(new ClientHook((call, requests, next) => new[] { "cached" }.ToAsyncEnumerable()));
        Assert.Equal("cached", await host.Unary("x").SoonAsync());
        Assert.Equal(["cached"], await host.ServerStream("x").ToListAsync().SoonAsync());
        await using var client = host.ClientStream();
        Assert.Equal("cached", await client.CompleteAsync().SoonAsync());
        await using var duplex = host.Duplex();
        Assert.Equal(["cached"], await duplex.Responses.ToListAsync().SoonAsync());
        Assert.Empty(await duplex.GetResponseHeadersAsync().SoonAsync());
        Assert.Equal(0, host.Connections);
    }

    [Fact]
    public async Task Next_may_be_called_again_for_a_call_with_one_request()
    {
        var attempts = 0;
        await using var host = CreateHost(new ClientHook((call, requests, next) => Twice(requests, next)));
        host.Service.OnUnary = (request, _) => ++attempts == 1 ? throw new RpcException(StatusCode.Unavailable, "later") : ValueTask.FromResult(request);
        Assert.Equal("again", await host.Unary("again").SoonAsync());
        Assert.Equal(2, attempts);

        static async IAsyncEnumerable<string> Twice(IAsyncEnumerable<string> requests, Func<IAsyncEnumerable<string>, IAsyncEnumerable<string>> next)
        {
            var fails = false;
            await foreach (var response in next(requests).OnEnd(error => (fails = error is not null) ? null : error))
            {
                yield return response;
            }

            if (fails)
            {
                await foreach (var response in next(requests))
                {
                    yield return response;
                }
            }
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_failure_of_an_interceptor_is_what_the_caller_gets(bool atOnce)
    {
        await using var host = CreateHost(new ClientHook((_, requests, next) => atOnce
            ? throw new FormatException("mine")
            : next(requests.Select<string, string>(_ => throw new FormatException("mine")))));
        Echo(host);
        await Assert.ThrowsAsync<FormatException>(() => host.Unary("x").SoonAsync());
        await using var duplex = host.Duplex();
        _ = duplex.SendAsync("x").AsTask().ContinueWith(task => task.Exception, TaskScheduler.Default);
        await Assert.ThrowsAsync<FormatException>(() => duplex.Responses.ToListAsync().SoonAsync());
    }

    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    public async Task One_response_must_be_one(int count)
    {
        await using var host = CreateHost(new ClientHook((_, requests, next) => Enumerable.Repeat("x", count).ToAsyncEnumerable()));
        await host.Unary("x").AsTask().FailsAsync(StatusCode.Internal);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    public async Task One_request_must_be_one(int count)
    {
        await using var host = CreateHost(new ClientHook((_, requests, next) => next(Enumerable.Repeat("x", count).ToAsyncEnumerable())));
        await host.Unary("x").AsTask().FailsAsync(StatusCode.Internal);
        Assert.Equal(0, host.Connections);
    }

    [Fact]
    public async Task A_call_starts_and_takes_messages_without_a_reader()
    {
        await using var host = CreateHost(ClientHook.Marking(""));
        var arrived = new TaskCompletionSource<string>();
        host.Service.OnDuplex = (requests, call) => Take(requests, call);
        await using (var duplex = host.Duplex())
        {
            await duplex.SendAsync("x").SoonAsync();
            Assert.Equal("x", await arrived.Task.SoonAsync());
        }

        async IAsyncEnumerable<string> Take(IAsyncEnumerable<string> requests, ServerCall call)
        {
            await foreach (var request in requests.WithCancellation(call.CancellationToken))
            {
                arrived.SetResult(request);
            }

            yield break;
        }
    }

    [Fact]
    public async Task The_senders_are_told_of_the_end_without_a_reader()
    {
        await using var host = CreateHost(ClientHook.Marking(""));
        host.Service.OnDuplex = (_, _) => throw new RpcException(StatusCode.PermissionDenied, "no");
        await using var duplex = host.Duplex();
        await SendUntilFailureAsync(duplex.SendAsync).FailsAsync(StatusCode.PermissionDenied);
        await duplex.Responses.ToListAsync().FailsAsync(StatusCode.PermissionDenied);
    }

    [Fact]
    public async Task A_reader_that_does_not_read_holds_the_server_back()
    {
        await using var host = CreateHost(ClientHook.Marking(""));
        var sent = 0;
        host.Service.OnServer = (_, call) => Count(call);
        await using var stream = host.ServerStream("");
        await using var responses = stream.GetAsyncEnumerator();
        Assert.True(await responses.MoveNextAsync().SoonAsync());
        host.Service.OnUnary = (_, _) => ValueTask.FromResult("");
        for (var i = 0; i < 10; i++)
        {
            await host.Unary("").SoonAsync(); // on the same connection: what can come has come
        }

        Assert.InRange(Volatile.Read(ref sent), 1, 400); // of a window of 1 MiB and what the server gathers; not all 10,000

        async IAsyncEnumerable<string> Count(ServerCall call)
        {
            for (var i = 0; i < 10_000; i++)
            {
                Interlocked.Increment(ref sent);
                yield return new string('x', 10_000);
                await Task.Yield();
            }
        }
    }

    [Fact]
    public async Task Leaving_the_call_cancels_it_and_the_interceptors_token()
    {
        CancellationToken token = default;
        await using var host = CreateHost(new ClientHook((call, requests, next) =>
        {
            token = call.CancellationToken;
            return next(requests);
        }));
        var cancelled = new TaskCompletionSource();
        host.Service.OnServer = (_, call) => Wait(call);
        await foreach (var response in host.ServerStream(""))
        {
            break;
        }

        Assert.True(token.IsCancellationRequested);
        await cancelled.Task.SoonAsync();

        async IAsyncEnumerable<string> Wait(ServerCall call)
        {
            yield return "one";
            await call.CancellationToken.FiredAsync();
            cancelled.SetResult();
        }
    }

    [Fact]
    public async Task The_callers_token_ends_the_call_also_inside_an_interceptor()
    {
        await using var host = CreateHost(new ClientHook((call, requests, next) => Wait(call)));
        using var stop = new CancellationTokenSource();
        var unary = host.Unary("", cancellationToken: stop.Token);
        Assert.False(unary.AsTask().IsCompleted);
        await stop.CancelAsync();
        await unary.AsTask().FailsAsync(StatusCode.Cancelled);
    }

    [Fact]
    public async Task The_callers_deadline_holds_also_inside_an_interceptor()
    {
        var time = new FakeTimeProvider();
        await using var host = new TestHost(channel: options =>
        {
            options.TimeProvider = time;
            options.Interceptors.Add(new ClientHook((call, requests, next) => Wait(call)));
        });
        var unary = host.Unary("", new CallOptions { Timeout = TimeSpan.FromSeconds(5) });
        Assert.False(unary.AsTask().IsCompleted);
        time.Advance(TimeSpan.FromSeconds(5));
        await unary.AsTask().FailsAsync(StatusCode.DeadlineExceeded);
    }

    [Fact]
    public async Task A_deadline_that_an_interceptor_sets_travels()
    {
        var time = new FakeTimeProvider();
        await using var host = new TestHost(
            server => server.TimeProvider = time,
            options =>
            {
                options.TimeProvider = time;
                options.Interceptors.Add(new ClientHook((call, requests, next) =>
                {
                    call.Deadline ??= time.GetUtcNow() + TimeSpan.FromSeconds(9);
                    return next(requests);
                }));
            });
        host.Service.OnUnary = (_, call) => ValueTask.FromResult($"{(call.Deadline - time.GetUtcNow())?.TotalSeconds}");
        Assert.Equal("9", await host.Unary("").SoonAsync());
        Assert.Equal("3", await host.Unary("", new CallOptions { Timeout = TimeSpan.FromSeconds(3) }).SoonAsync());
    }

    [Fact]
    public async Task An_intercepted_call_has_the_same_rules_of_use()
    {
        await using var host = CreateHost(ClientHook.Marking(""));
        Echo(host);
        Assert.Same(host.Channel, host.Channel.Intercept());
        Assert.Throws<ArgumentNullException>(() => host.Channel.Intercept(null!, ClientHook.Marking("")));
        Assert.Throws<ArgumentException>(() => host.Channel.Unary(TestService.ServerMethod, "", default, default));
        await using var duplex = host.Duplex();
        Assert.Throws<InvalidOperationException>(() => duplex.Trailers);
        await duplex.CompleteAsync().SoonAsync();
        await Assert.ThrowsAsync<InvalidOperationException>(() => duplex.SendAsync("late").SoonAsync());
        Assert.Throws<InvalidOperationException>(() => duplex.TrySend("late"));
        Assert.Empty(await duplex.Responses.ToListAsync().SoonAsync());
        Assert.Throws<InvalidOperationException>(() => duplex.Responses.GetAsyncEnumerator());
        Assert.Empty(duplex.Trailers);
    }

    private static async IAsyncEnumerable<string> Wait(OutgoingCall call)
    {
        await Task.Delay(Timeout.Infinite, call.CancellationToken);
        yield return "unreachable";
    }

    private static async Task SendUntilFailureAsync(Func<string, CancellationToken, ValueTask> send)
    {
        while (true)
        {
            await send("x", default);
            await Task.Yield();
        }
    }

    private static void Echo(TestHost host)
    {
        host.Service.OnUnary = (request, _) => ValueTask.FromResult(request);
        host.Service.OnServer = (request, _) => new[] { request }.ToAsyncEnumerable();
        host.Service.OnClient = async (requests, _) => string.Join(',', await requests.ToListAsync());
        host.Service.OnDuplex = (requests, _) => requests;
    }

    private static TestHost CreateHost(params ClientInterceptor[] interceptors) => new(channel: options =>
    {
        foreach (var interceptor in interceptors)
        {
            options.Interceptors.Add(interceptor);
        }
    });
}
