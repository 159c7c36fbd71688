using Weir.Rpc.Tests.Support;

namespace Weir.Rpc.Tests;

/// <summary>Interceptors of a server: all four kinds, everything that they may change, and every way a call ends.</summary>
public sealed class ServerInterceptorTests
{
    [Fact]
    public async Task The_first_interceptor_is_the_outermost_for_every_kind_and_the_servers_come_before_the_services()
    {
        await using var host = CreateHost(ServerHook.Marking("a"), ServerHook.Marking("b"));
        Echo(host);
        const string Expected = "xabba";
        Assert.Equal(Expected, await host.Unary("x").SoonAsync());
        Assert.Equal([Expected], await host.ServerStream("x").ToListAsync().SoonAsync());
        await using var client = host.ClientStream();
        await client.SendAsync("x").SoonAsync();
        await client.SendAsync("y").SoonAsync();
        Assert.Equal("xab,yabba", await client.CompleteAsync().SoonAsync());
        await using var duplex = host.Duplex();
        await using var responses = duplex.Responses.GetAsyncEnumerator();
        foreach (var text in new[] { "x", "y" })
        {
            await duplex.SendAsync(text).SoonAsync();
            Assert.True(await responses.MoveNextAsync().SoonAsync());
            Assert.Equal($"{text}abba", responses.Current);
        }

        await duplex.CompleteAsync().SoonAsync();
        Assert.False(await responses.MoveNextAsync().SoonAsync());

        var server = new RpcServer(new RpcServerOptions { Interceptors = { ServerHook.Marking("a") } });
        server.AddService(host.Activator, [ServerHook.Marking("b"), ServerHook.Marking("c")]);
        var pair = new PipePair();
        var serving = server.ServeAsync(pair.Server, "pipe");
        await using (var channel = RpcChannel.ForAddress("http://own", new RpcChannelOptions { ConnectTransport = _ => new(pair.Client) }))
        {
            Assert.Equal("xabccba", await channel.Unary(TestService.UnaryMethod, "x", default, default).SoonAsync());
        }

        await serving.SoonAsync();
    }

    [Fact]
    public async Task Messages_may_be_dropped_and_added_both_ways()
    {
        await using var host = CreateHost(new ServerHook((_, requests, next) => next(requests.Where(text => text != "drop").Prepend("first")).Where(text => text != "no").Append("last")));
        Echo(host);
        await using var duplex = host.Duplex();
        foreach (var text in new[] { "drop", "no", "yes" })
        {
            await duplex.SendAsync(text).SoonAsync();
        }

        await duplex.CompleteAsync().SoonAsync();
        Assert.Equal(["first", "yes", "last"], await duplex.Responses.ToListAsync().SoonAsync());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Metadata_are_seen_and_changed_both_ways(bool streams)
    {
        List<string> order = [];
        await using var host = CreateHost(
            new ServerHook((call, requests, next) =>
            {
                call.OnSendingHeaders(headers => order.Add($"outer {headers.GetValue("from-handler")} {headers.GetValue("inner")}"));
                call.Items["user"] = "me";
                call.RequestHeaders.Remove("secret");
                return next(requests).OnEnd(error =>
                {
                    call.ResponseTrailers.Add("outer", call.ResponseTrailers.GetValue("from-handler")!);
                    return error;
                });
            }),
            new ServerHook((call, requests, next) =>
            {
                call.OnSendingHeaders(headers =>
                {
                    order.Add("inner");
                    headers.Add("inner", "1");
                });
                return next(requests);
            }));
        host.Service.OnUnary = async (_, call) =>
        {
            await call.SendHeadersAsync(new Metadata { { "from-handler", "h" } });
            call.ResponseTrailers.Add("from-handler", "t");
            return $"{call.Items["user"]} {call.RequestHeaders.GetValue("secret")}";
        };
        host.Service.OnServer = (_, call) =>
        {
            call.ResponseTrailers.Add("from-handler", "t");
            return AsyncEnumerable.Empty<string>();
        };
        var options = new CallOptions { Headers = new Metadata { { "secret", "1" } } };
        if (streams)
        {
            var stream = host.ServerStream("", options);
            Assert.Empty(await stream.ToListAsync().SoonAsync());
            Assert.Equal("1", (await stream.GetResponseHeadersAsync().SoonAsync()).GetValue("inner")); // although there is no message
            Assert.Equal("t", stream.Trailers.GetValue("outer"));
            Assert.Equal(["inner", "outer  1"], order);
        }
        else
        {
            var unary = host.Unary("", options);
            Assert.Equal("me ", await unary.SoonAsync());
            Assert.Equal("1", (await unary.GetResponseHeadersAsync().SoonAsync()).GetValue("inner"));
            Assert.Equal("t", unary.Trailers.GetValue("outer"));
            Assert.Equal(["inner", "outer h 1"], order);
        }
    }

    [Fact]
    public async Task The_status_is_seen_and_changed()
    {
        Exception? seen = null;
        await using var host = CreateHost(new ServerHook((_, requests, next) => next(requests).OnEnd(error =>
        {
            seen = error;
            return error is null ? null : new RpcException(StatusCode.DataLoss, "worse");
        })));
        host.Service.OnUnary = (request, _) => request == "" ? throw new FormatException("mine") : ValueTask.FromResult(request);
        await host.Unary("").AsTask().FailsAsync(StatusCode.DataLoss);
        Assert.IsType<FormatException>(seen); // and nothing is logged: the interceptor has made a status of it
        Assert.Equal("x", await host.Unary("x").SoonAsync());
        Assert.Null(seen);
    }

    [Fact]
    public async Task An_interceptor_may_answer_without_the_handler()
    {
        await using var host = CreateHost(new ServerHook((call, requests, next) => call.RequestHeaders.GetValue("token") is null
            ? throw new RpcException(StatusCode.Unauthenticated, "who are you")
            : new[] { "cached" }.ToAsyncEnumerable()));
        await host.Unary("").AsTask().FailsAsync(StatusCode.Unauthenticated);
        var options = new CallOptions { Headers = new Metadata { { "token", "t" } } };
        Assert.Equal("cached", await host.Unary("", options).SoonAsync());
        Assert.Equal(["cached"], await host.ServerStream("", options).ToListAsync().SoonAsync());
        Assert.Equal("cached", await host.ClientStream(options).CompleteAsync().SoonAsync());
        Assert.Equal(["cached"], await host.Duplex(options).Responses.ToListAsync().SoonAsync());
        Assert.Equal(0, host.Activator.Created);
    }

    [Fact]
    public async Task What_a_handler_and_its_tasks_send_beside_passes_through_as_well()
    {
        await using var host = CreateHost(ServerHook.Marking("!"));
        host.Service.OnServer = (_, call) => Send(call);
        var all = await host.ServerStream("").ToListAsync().SoonAsync();
        Assert.Equal(["beside!", "own!"], all[..2]);
        Assert.Equal(Enumerable.Range(0, 100).Select(i => $"{i}!"), all[2..]);

        static async IAsyncEnumerable<string> Send(ServerCall call)
        {
            var sender = call.GetSender<string>();
            await sender.SendAsync("beside");
            yield return "own";
            call.Run(async token =>
            {
                for (var i = 0; i < 100; i++)
                {
                    await sender.SendAsync($"{i}", token);
                    await Task.Yield();
                }
            });
        }
    }

    [Fact]
    public async Task A_task_that_sends_is_released_when_an_interceptor_takes_no_more()
    {
        await using var host = CreateHost(new ServerHook((_, requests, next) => next(requests).Take(1)));
        var ended = new TaskCompletionSource<Exception>();
        host.Service.OnServer = (_, call) => Send(call);
        Assert.Equal(["0"], await host.ServerStream("").ToListAsync().SoonAsync());
        Assert.True(await ended.Task.SoonAsync() is InvalidOperationException or OperationCanceledException);

        async IAsyncEnumerable<string> Send(ServerCall call)
        {
            var sender = call.GetSender<string>();
            call.Run(async token =>
            {
                try
                {
                    for (var i = 0; ; i++)
                    {
                        await sender.SendAsync($"{i}", CancellationToken.None);
                    }
                }
                catch (Exception error) when (error is InvalidOperationException or OperationCanceledException)
                {
                    ended.SetResult(error);
                    throw new OperationCanceledException("no more");
                }
            });
            await call.CancellationToken.FiredAsync(); // a handler that would go on is cancelled too
            yield break;
        }
    }

    [Fact]
    public async Task A_handler_that_fails_ends_its_tasks_and_the_call()
    {
        await using var host = CreateHost(ServerHook.Marking("!"));
        host.Service.OnServer = (_, call) => Send(call);
        var stream = host.ServerStream("");
        await using var responses = stream.GetAsyncEnumerator();
        Assert.True(await responses.MoveNextAsync().SoonAsync());
        Assert.Equal("one!", responses.Current);
        await responses.MoveNextAsync().AsTask().FailsAsync(StatusCode.Aborted);

        static async IAsyncEnumerable<string> Send(ServerCall call)
        {
            call.Run(token => Task.Delay(Timeout.Infinite, token));
            yield return "one";
            await Task.Yield();
            throw new RpcException(StatusCode.Aborted, "no more");
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    public async Task One_response_must_be_one(int count)
    {
        await using var host = CreateHost(new ServerHook((_, requests, next) => Enumerable.Repeat("x", count).ToAsyncEnumerable()));
        await host.Unary("x").AsTask().FailsAsync(StatusCode.Internal);
    }

    [Fact]
    public async Task The_handler_runs_once()
    {
        await using var host = CreateHost(new ServerHook((_, requests, next) => next(requests).Concat(next(requests))));
        host.ExpectedErrors = ["1 The handler"];
        Echo(host);
        await host.ServerStream("x").ToListAsync().FailsAsync(StatusCode.Internal);
        Assert.Equal(1, host.Activator.Created);
    }

    [Fact]
    public async Task What_was_registered_is_disposed_of_after_the_service_the_last_first()
    {
        List<string> order = [];
        await using var host = CreateHost(new ServerHook((call, requests, next) =>
        {
            call.RegisterForDispose(new Disposable(() => order.Add($"first {call.HasItems}")));
            call.RegisterForDispose(new Disposable(() => throw new FormatException("mine")));
            call.RegisterForDispose(new Disposable(() => order.Add("last")));
            return next(requests);
        }));
        host.ExpectedErrors = ["2 Releasing"];
        Echo(host);
        Assert.Equal("x", await host.Unary("x").SoonAsync());
        await host.Channel.DisposeAsync().SoonAsync();
        await host.AllServedAsync().SoonAsync();
        Assert.Equal(["last", "first False"], order);
    }

    [Fact]
    public async Task A_cancelled_call_cancels_what_the_interceptor_waits_for()
    {
        var (started, cancelled) = (new TaskCompletionSource(), new TaskCompletionSource());
        await using var host = CreateHost(new ServerHook((call, requests, next) => Wait(call)));
        using var stop = new CancellationTokenSource();
        var unary = host.Unary("", cancellationToken: stop.Token);
        await started.Task.SoonAsync();
        await stop.CancelAsync();
        await unary.AsTask().FailsAsync(StatusCode.Cancelled);
        await cancelled.Task.SoonAsync();

        async IAsyncEnumerable<string> Wait(ServerCall call)
        {
            started.SetResult();
            await call.CancellationToken.FiredAsync();
            cancelled.SetResult();
            yield return "late";
        }
    }

    private static void Echo(TestHost host)
    {
        host.Service.OnUnary = (request, _) => ValueTask.FromResult(request);
        host.Service.OnServer = (request, _) => new[] { request }.ToAsyncEnumerable();
        host.Service.OnClient = async (requests, _) => string.Join(',', await requests.ToListAsync());
        host.Service.OnDuplex = (requests, _) => requests;
    }

    private static TestHost CreateHost(params ServerInterceptor[] interceptors) => new(server: options =>
    {
        foreach (var interceptor in interceptors)
        {
            options.Interceptors.Add(interceptor);
        }
    });

    private sealed class Disposable(Action onDispose) : IAsyncDisposable
    {
        public ValueTask DisposeAsync()
        {
            onDispose();
            return default;
        }
    }
}
