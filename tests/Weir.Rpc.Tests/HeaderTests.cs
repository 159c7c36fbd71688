using Weir.Rpc.Tests.Support;

namespace Weir.Rpc.Tests;

public sealed class HeaderTests
{
    [Fact]
    public async Task Metadata_travels_both_ways()
    {
        await using var host = new TestHost();
        host.Service.OnUnary = async (request, call) =>
        {
            Assert.Equal(["one", "two", "two", "three-bin"], call.RequestHeaders.Where(entry => entry.Key != "user-agent").Select(entry => entry.Key));
            Assert.Equal("1", call.RequestHeaders.GetValue("one"));
            Assert.Equal(["2", "2b"], call.RequestHeaders.GetAll("two").Select(entry => entry.Value));
            await call.SendHeadersAsync(new Metadata { { "back", "b" }, { "back-bin", call.RequestHeaders.GetBytes("three-bin")!.Value } });
            await Assert.ThrowsAsync<InvalidOperationException>(() => call.SendHeadersAsync([]).SoonAsync());
            call.ResponseTrailers.Add("last", "l");
            call.ResponseTrailers.Add("last-bin", new byte[] { 9 });
            return request;
        };
        var headers = new Metadata { { "One", "1" }, { "two", "2" }, { "two", "2b" }, { "three-bin", new byte[] { 0, 255, 128 } } };
        var call = host.Unary("", new CallOptions { Headers = headers });
        var back = await call.GetResponseHeadersAsync().SoonAsync();
        Assert.Equal("b", back.GetValue("back"));
        Assert.Equal([0, 255, 128], back.GetBytes("back-bin")!.Value.ToArray());
        await call.SoonAsync();
        Assert.Equal("l", call.Trailers.GetValue("last"));
        Assert.Equal([9], call.Trailers.GetBytes("last-bin")!.Value.ToArray());
        Assert.Same(back, await call.GetResponseHeadersAsync().SoonAsync());
    }

    [Fact]
    public async Task The_user_agent_names_weir()
    {
        await using var host = new TestHost();
        host.Service.OnUnary = (_, call) => ValueTask.FromResult(call.RequestHeaders.GetValue("user-agent")!);
        Assert.Matches(@"^weir-dotnet/\d+\.\d+\.\d+$", await host.Unary("").SoonAsync());
    }

    [Fact]
    public async Task Headers_come_before_the_first_message_when_the_handler_says_so()
    {
        await using var host = new TestHost();
        var go = new TaskCompletionSource();
        host.Service.OnServer = (_, call) => Handle(call);
        await using var call = host.ServerStream("");
        Assert.Equal("1", (await call.GetResponseHeadersAsync().SoonAsync()).GetValue("early"));
        Assert.Throws<InvalidOperationException>(() => call.Trailers);
        go.SetResult();
        Assert.Equal(["message"], await call.ToListAsync().SoonAsync());
        Assert.Empty(call.Trailers);

        async IAsyncEnumerable<string> Handle(ServerCall call)
        {
            await call.SendHeadersAsync(new Metadata { { "early", "1" } });
            await go.Task;
            yield return "message";
        }
    }

    [Fact]
    public async Task Headers_of_a_call_that_fails_before_them_fail_with_it_and_are_empty_when_only_trailers_came()
    {
        await using var host = new TestHost();
        var go = new TaskCompletionSource();
        host.Service.OnUnary = async (_, _) =>
        {
            await go.Task;
            throw new RpcException(StatusCode.NotFound, "");
        };
        var call = host.Unary("");
        var headers = call.GetResponseHeadersAsync();
        go.SetResult();
        await call.AsTask().FailsAsync(StatusCode.NotFound);
        Assert.Empty(await headers.SoonAsync());
        using var source = new CancellationTokenSource();
        host.Service.OnUnary = async (_, serverCall) =>
        {
            await source.CancelAsync();
            await serverCall.CancellationToken.FiredAsync();
            return "";
        };
        var cancelled = host.Unary("", default, source.Token);
        await Task.WhenAll(cancelled.GetResponseHeadersAsync().FailsAsync(StatusCode.Cancelled), cancelled.AsTask().FailsAsync(StatusCode.Cancelled));
    }

    [Fact]
    public async Task Metadata_above_the_servers_limit_is_ResourceExhausted_and_the_next_call_served()
    {
        await using var host = new TestHost(server => server.Http2.MaxHeaderListBytes = 4096);
        host.Service.OnUnary = (request, _) => ValueTask.FromResult(request);
        await host.Unary("", new CallOptions { Headers = new Metadata { { "long", new string('x', 4096) } } }).AsTask().FailsAsync(StatusCode.ResourceExhausted);
        var bytes = new Metadata { { "long-bin", new byte[4096 * 3 / 4] } }; // as base64
        await host.Unary("", new CallOptions { Headers = bytes }).AsTask().FailsAsync(StatusCode.ResourceExhausted);
        Assert.Equal("ok", await host.Unary("ok", new CallOptions { Headers = new Metadata { { "long", new string('x', 3000) } } }).SoonAsync());
        Assert.Equal(1, host.Connections);
    }

    [Theory]
    [InlineData("headers")]
    [InlineData("trailers")]
    [InlineData("message")]
    public async Task Metadata_above_the_clients_limit_is_ResourceExhausted_and_the_next_call_served(string where)
    {
        await using var host = new TestHost(channel: channel => channel.Http2.MaxHeaderListBytes = 4096);
        host.Service.OnUnary = async (request, call) =>
        {
            var length = int.Parse(request, System.Globalization.CultureInfo.InvariantCulture);
            if (where == "headers")
            {
                await call.SendHeadersAsync(new Metadata { { "long", new string('x', length) } });
            }
            else if (where == "trailers")
            {
                call.ResponseTrailers.Add("long-bin", new byte[length * 3 / 4]);
            }
            else if (length > 3000)
            {
                throw new RpcException(StatusCode.NotFound, new string('x', length));
            }

            return request;
        };
        await host.Unary("4096").AsTask().FailsAsync(StatusCode.ResourceExhausted);
        Assert.Equal("3000", await host.Unary("3000").SoonAsync());
        Assert.Equal(1, host.Connections);
    }

    [Fact]
    public async Task Blanks_at_the_ends_of_texts_break_no_call()
    {
        await using var host = new TestHost();
        host.Service.OnUnary = (_, call) =>
        {
            Assert.Equal("a b", call.RequestHeaders.GetValue("key"));
            call.ResponseTrailers.Add("key", " c ");
            throw new RpcException(StatusCode.NotFound, " no such file: ");
        };
        var error = await host.Unary("", new CallOptions { Headers = new Metadata { { "key", " a b " } } }).AsTask().FailsAsync(StatusCode.NotFound);
        Assert.Equal(" no such file: ", error.Status.Detail);
        Assert.Equal("c", error.Trailers.GetValue("key"));
    }

    [Theory]
    [InlineData("k-bin=!", null)]
    [InlineData("k-bin=AA==,AQ", "00 01")]
    [InlineData("k-bin=", "")]
    public async Task Bytes_in_response_headers_are_base64_or_the_call_ends(string field, string? expected)
    {
        await using var server = new RawServer((stream, _) => () =>
        {
            stream.SendHeaders([.. RawServer.Ok, .. RawServer.Headers(field)], endStream: false);
            try
            {
                stream.TrySend(RawServer.Message("message"));
                stream.SendHeaders(RawServer.Headers("grpc-status=0"), endStream: true);
            }
            catch (Weir.Http2.Http2StreamException) when (expected is null)
            {
                // The client has seen enough.
            }
        });
        var call = server.Unary();
        if (expected is null)
        {
            Assert.Equal("the response's \"k-bin\" is not base64", (await call.AsTask().FailsAsync(StatusCode.Internal)).Status.Detail);
            return;
        }

        Assert.Equal("message", await call.SoonAsync());
        var entries = (await call.GetResponseHeadersAsync().SoonAsync()).GetAll("k-bin");
        Assert.Equal(expected, string.Join(' ', entries.Select(entry => Convert.ToHexString(entry.Bytes.Span))));
    }

    [Fact]
    public async Task More_metadata_than_a_frame_holds_passes()
    {
        await using var host = new TestHost();
        host.Service.OnUnary = (_, call) => ValueTask.FromResult($"{call.RequestHeaders.GetValue("long")!.Length}");
        Assert.Equal("20000", await host.Unary("", new CallOptions { Headers = new Metadata { { "long", new string('x', 20_000) } } }).SoonAsync());
    }
}
