using Weir.Rpc.Tests.Support;

namespace Weir.Rpc.Tests;

/// <summary>How calls end: law 4, and that an end is never taken for an error nor an error for the end.</summary>
public sealed class CallEndTests
{
    [Fact]
    public async Task A_server_stream_ends_with_the_handlers_enumeration()
    {
        await using var host = new TestHost();
        host.Service.OnServer = (request, _) => Numbers(int.Parse(request, null));
        Assert.Equal(Numbers(3).ToBlockingEnumerable(), await host.ServerStream("3").ToListAsync().SoonAsync());
        Assert.Empty(await host.ServerStream("0").ToListAsync().SoonAsync());
        Assert.Equal(10_000, (await host.ServerStream("10000").ToListAsync().SoonAsync()).Count);
    }

    [Fact]
    public async Task A_client_stream_is_read_to_its_end_and_answered_once()
    {
        await using var host = new TestHost();
        host.Service.OnClient = async (requests, _) => string.Join(',', await requests.ToListAsync());
        await using var call = host.ClientStream();
        for (var i = 0; i < 3; i++)
        {
            await call.SendAsync($"{i}").SoonAsync();
        }

        var answer = call.CompleteAsync();
        Assert.Equal("0,1,2", await answer.SoonAsync());
        Assert.Same(answer, call.CompleteAsync());
    }

    [Fact]
    public async Task A_client_stream_without_messages_is_answered()
    {
        await using var host = new TestHost();
        host.Service.OnClient = async (requests, _) => $"{(await requests.ToListAsync()).Count}";
        await using var call = host.ClientStream();
        Assert.Equal("0", await call.CompleteAsync().SoonAsync());
    }

    [Fact]
    public async Task A_duplex_call_answers_while_it_is_sent_to()
    {
        await using var host = new TestHost();
        host.Service.OnDuplex = (requests, _) => Echo(requests);
        await using var call = host.Duplex();
        await using var responses = call.Responses.GetAsyncEnumerator();
        for (var i = 0; i < 100; i++)
        {
            await call.SendAsync($"{i}").SoonAsync();
            Assert.True(await responses.MoveNextAsync().SoonAsync());
            Assert.Equal($"{i}", responses.Current);
        }

        await call.CompleteAsync().SoonAsync();
        await call.CompleteAsync().SoonAsync();
        Assert.False(await responses.MoveNextAsync().SoonAsync());
        Assert.False(await responses.MoveNextAsync().SoonAsync());
    }

    [Fact]
    public async Task An_error_after_messages_comes_after_them_and_is_no_end()
    {
        await using var host = new TestHost();
        host.Service.OnServer = (_, _) => ThreeThenFail();
        List<string> received = [];
        var error = await ReadInto(host.ServerStream(""), received).FailsAsync(StatusCode.DataLoss);
        Assert.Equal(["0", "1", "2"], received);
        Assert.Equal("disk", error.Status.Detail);

        static async IAsyncEnumerable<string> ThreeThenFail()
        {
            await foreach (var number in Numbers(3))
            {
                yield return number;
            }

            throw new RpcException(StatusCode.DataLoss, "disk");
        }
    }

    [Theory]
    [InlineData(StatusCode.Cancelled)]
    [InlineData(StatusCode.Unknown)]
    [InlineData(StatusCode.InvalidArgument)]
    [InlineData(StatusCode.DeadlineExceeded)]
    [InlineData(StatusCode.NotFound)]
    [InlineData(StatusCode.AlreadyExists)]
    [InlineData(StatusCode.PermissionDenied)]
    [InlineData(StatusCode.ResourceExhausted)]
    [InlineData(StatusCode.FailedPrecondition)]
    [InlineData(StatusCode.Aborted)]
    [InlineData(StatusCode.OutOfRange)]
    [InlineData(StatusCode.Unimplemented)]
    [InlineData(StatusCode.Internal)]
    [InlineData(StatusCode.Unavailable)]
    [InlineData(StatusCode.DataLoss)]
    [InlineData(StatusCode.Unauthenticated)]
    public async Task A_handlers_RpcException_travels_as_its_status(StatusCode code)
    {
        await using var host = new TestHost();
        host.Service.OnUnary = (_, call) =>
        {
            call.ResponseTrailers.Add("from-call", "1");
            throw new RpcException(new Status(code, "why: 100 % äöü\n"), new Metadata { { "from-exception-bin", new byte[] { 1, 2 } } });
        };
        var call = host.Unary("");
        var error = await call.AsTask().FailsAsync(code);
        Assert.Equal("why: 100 % äöü\n", error.Status.Detail);
        Assert.Equal("1", error.Trailers.GetValue("from-call"));
        Assert.Equal([1, 2], error.Trailers.GetBytes("from-exception-bin")!.Value.ToArray());
        Assert.Same(error.Trailers, call.Trailers);
    }

    [Fact]
    public async Task Any_other_exception_is_Internal_without_detail_and_logged_once()
    {
        await using var host = new TestHost { ExpectedErrors = ["1 The handler", "1 The handler", "1 The handler", "1 The handler", "1 The handler"] };
        host.Service.OnUnary = (request, _) => request == "null" ? new ValueTask<string>((string)null!) : throw new FormatException("secret");
        host.Service.OnServer = (request, _) => request == "null" ? null! : throw new FormatException("secret");
        host.Service.OnClient = (_, _) => throw new OperationCanceledException("secret"); // by nobody's token
        foreach (var call in new Task[]
        {
            host.Unary("").AsTask(), host.Unary("null").AsTask(), host.ServerStream("").ToListAsync(), host.ServerStream("null").ToListAsync(),
            host.ClientStream().CompleteAsync(),
        })
        {
            var error = await call.FailsAsync(StatusCode.Internal);
            Assert.Equal("The handler failed.", error.Status.Detail);
            Assert.Empty(error.Trailers);
        }
    }

    [Fact]
    public async Task An_RpcException_that_says_OK_is_a_fault_of_the_handler()
    {
        await using var host = new TestHost { ExpectedErrors = ["1 The handler"] };
        host.Service.OnUnary = (_, _) => throw new RpcException(StatusCode.Ok, "");
        await host.Unary("").AsTask().FailsAsync(StatusCode.Internal);
    }

    [Fact]
    public async Task Unknown_services_and_methods_are_named()
    {
        await using var host = new TestHost();
        var marshaller = TextMarshaller.Instance;
        var method = await host.Channel.Unary(new Method<string, string>(MethodKind.Unary, "test.Service", "Nothing", marshaller, marshaller), "", default, default)
            .AsTask().FailsAsync(StatusCode.Unimplemented);
        Assert.Equal("unknown method Nothing of service test.Service", method.Status.Detail);
        var service = await host.Channel.Unary(new Method<string, string>(MethodKind.Unary, "test.Other", "Unary", marshaller, marshaller), "", default, default)
            .AsTask().FailsAsync(StatusCode.Unimplemented);
        Assert.Equal("unknown service test.Other", service.Status.Detail);
        host.Service.OnUnary = (request, _) => ValueTask.FromResult(request);
        Assert.Equal("still works", await host.Unary("still works").SoonAsync());
    }

    [Fact]
    public async Task A_server_that_answers_a_client_stream_early_ends_its_sends()
    {
        await using var host = new TestHost();
        host.Service.OnClient = async (requests, _) =>
        {
            await foreach (var request in requests)
            {
                return $"enough after {request}";
            }

            return "none";
        };
        await using var call = host.ClientStream();
        await call.SendAsync("first").SoonAsync();
        var error = await Assert.ThrowsAsync<InvalidOperationException>(async () =>
        {
            while (true)
            {
                await call.SendAsync(new string('x', 10_000)).SoonAsync();
            }
        });
        Assert.StartsWith("The call has ended with OK", error.Message, StringComparison.Ordinal);
        Assert.False(call.TrySend("more"));
        Assert.Equal("enough after first", await call.CompleteAsync().SoonAsync());
    }

    [Fact]
    public async Task Sends_after_a_failed_call_throw_its_status()
    {
        await using var host = new TestHost();
        host.Service.OnClient = (_, _) => throw new RpcException(StatusCode.PermissionDenied, "no");
        await using var call = host.ClientStream();
        var error = await Assert.ThrowsAsync<RpcException>(async () =>
        {
            while (true)
            {
                await call.SendAsync("x").SoonAsync();
            }
        });
        Assert.Equal(new Status(StatusCode.PermissionDenied, "no"), error.Status);
        Assert.False(call.TrySend("more"));
        await call.CompleteAsync().FailsAsync(StatusCode.PermissionDenied);
    }

    [Fact]
    public async Task Sends_after_CompleteAsync_are_refused()
    {
        await using var host = new TestHost();
        host.Service.OnDuplex = (requests, _) => Echo(requests);
        await using var call = host.Duplex();
        await call.CompleteAsync().SoonAsync();
        await Assert.ThrowsAsync<InvalidOperationException>(() => call.SendAsync("x").SoonAsync());
        Assert.Throws<InvalidOperationException>(() => call.TrySend("x"));
        Assert.Empty(await call.Responses.ToListAsync().SoonAsync());
    }

    [Fact]
    public async Task Messages_are_enumerated_once_on_either_side()
    {
        await using var host = new TestHost();
        host.Service.OnDuplex = (requests, _) =>
        {
            requests.GetAsyncEnumerator();
            var error = Assert.Throws<InvalidOperationException>(() => requests.GetAsyncEnumerator());
            return new[] { error.Message }.ToAsyncEnumerable();
        };
        await using var call = host.Duplex();
        Assert.Single(await call.Responses.ToListAsync().SoonAsync());
        Assert.Throws<InvalidOperationException>(() => call.Responses.GetAsyncEnumerator());
    }

    [Fact]
    public async Task The_service_is_released_after_the_call_and_a_failing_release_is_logged()
    {
        await using var host = new TestHost { ExpectedErrors = ["2 Releasing"] };
        host.Activator.ReleaseFailure = new FormatException();
        host.Service.OnUnary = (request, _) => ValueTask.FromResult(request);
        Assert.Equal("x", await host.Unary("x").SoonAsync());
        await host.Channel.DisposeAsync().SoonAsync();
        await host.AllServedAsync().SoonAsync();
        Assert.Equal(1, host.Activator.Released);
    }

    [Fact]
    public void A_path_is_taken_once()
    {
        var server = new RpcServer();
        server.AddService(new TestActivator<TestService>(new TestService()));
        var error = Assert.Throws<InvalidOperationException>(() => server.AddService(new TestActivator<TestService>(new TestService())));
        Assert.Contains("/test.Service/Unary", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Services_are_added_before_the_first_connection()
    {
        await using var host = new TestHost();
        host.Service.OnUnary = (request, _) => ValueTask.FromResult(request);
        await host.Unary("").SoonAsync();
        Assert.Throws<InvalidOperationException>(() => host.Server.AddService(host.Activator));
    }

    [Fact]
    public async Task A_method_is_called_as_what_it_is()
    {
        await using var host = new TestHost();
        Assert.Throws<ArgumentException>(() => host.Channel.Unary(TestService.ServerMethod, "", default, default));
    }

    private static async Task ReadInto(IAsyncEnumerable<string> source, List<string> into)
    {
        await foreach (var item in source)
        {
            into.Add(item);
        }
    }

    internal static async IAsyncEnumerable<string> Numbers(int count)
    {
        for (var i = 0; i < count; i++)
        {
            if (i % 100 == 50)
            {
                await Task.Yield();
            }

            yield return $"{i}";
        }
    }

    internal static async IAsyncEnumerable<string> Echo(IAsyncEnumerable<string> requests)
    {
        await foreach (var request in requests)
        {
            yield return request;
        }
    }
}
