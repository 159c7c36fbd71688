using Weir.Http2;
using Weir.Rpc.Tests.Support;

namespace Weir.Rpc.Tests;

/// <summary>What goes over the wire, against peers that know no gRPC and can be told to break it.</summary>
public sealed class WireTests
{
    [Fact]
    public async Task A_request_has_the_fields_that_the_specification_asks_for()
    {
        await using var server = new RawServer((stream, _) => () => stream.SendHeaders([.. RawServer.Ok, .. RawServer.Headers("grpc-status=0")], endStream: true));
        await server.ServerStream(new CallOptions { Timeout = TimeSpan.FromHours(2) }).ToListAsync().SoonAsync();
        Assert.Equal("POST", server.LastRequest[":method"]);
        Assert.Equal("http", server.LastRequest[":scheme"]);
        Assert.Equal("/test.Service/Server", server.LastRequest[":path"]);
        Assert.Equal("raw", server.LastRequest[":authority"]);
        Assert.Equal("trailers", server.LastRequest["te"]);
        Assert.Equal("application/grpc", server.LastRequest["content-type"]);
        Assert.StartsWith("weir-dotnet/", server.LastRequest["user-agent"], StringComparison.Ordinal);
        Assert.Matches("^7199[0-9]{3}m$|^7200000m$|^7200000000u$", server.LastRequest["grpc-timeout"]);
    }

    [Theory]
    [InlineData("grpc-status=0;grpc-message=", StatusCode.Ok, "")]
    [InlineData("grpc-status=5;grpc-message=not%20here%21", StatusCode.NotFound, "not here!")]
    [InlineData("grpc-status=5;grpc-message=bad%zz", StatusCode.NotFound, "bad%zz")]
    [InlineData("grpc-status=99", StatusCode.Unknown, "the response's grpc-status is \"99\"")]
    [InlineData("grpc-status=x", StatusCode.Unknown, "the response's grpc-status is \"x\"")]
    [InlineData("other=1", StatusCode.Unknown, "the response's trailers have no grpc-status")]
    [InlineData("grpc-status=0;k-bin=!", StatusCode.Internal, "the response's \"k-bin\" is not base64")]
    public async Task Trailers_are_the_status(string fields, StatusCode code, string detail)
    {
        foreach (var trailersOnly in new[] { true, false })
        {
            await using var server = new RawServer((stream, _) => () =>
            {
                var trailers = RawServer.Headers(fields.Split(';'));
                if (!trailersOnly)
                {
                    stream.SendHeaders(RawServer.Ok, endStream: false);
                }

                stream.SendHeaders(trailersOnly ? [.. RawServer.Ok, .. trailers] : trailers, endStream: true);
            });
            var call = server.ServerStream().ToListAsync();
            if (code == StatusCode.Ok)
            {
                Assert.Empty(await call.SoonAsync());
            }
            else
            {
                Assert.Equal(detail, (await call.FailsAsync(code)).Status.Detail);
            }
        }
    }

    [Theory]
    [InlineData(":status=404;content-type=text/html", StatusCode.Unimplemented, "the response's HTTP status is 404")]
    [InlineData(":status=503", StatusCode.Unavailable, "the response's HTTP status is 503")]
    [InlineData(":status=200;content-type=text/html", StatusCode.Unknown, "the response's content-type is \"text/html\"; \"application/grpc\" is expected")]
    [InlineData(":status=200;content-type=application/grpc;grpc-encoding=snappy", StatusCode.Internal, "the response is compressed with \"snappy\", which was not offered; \"identity,gzip,deflate,br\" are accepted")]
    public async Task A_response_that_is_not_grpc_is_told_from_its_headers(string fields, StatusCode code, string detail)
    {
        await using var server = new RawServer((stream, _) => () => stream.SendHeaders(RawServer.Headers(fields.Split(';')), endStream: false));
        Assert.Equal(detail, (await server.Unary().AsTask().FailsAsync(code)).Status.Detail);
    }

    [Fact]
    public async Task An_http_error_without_a_body_is_told_from_its_status()
    {
        await using var server = new RawServer((stream, _) => () => stream.SendHeaders(RawServer.Headers(":status=401"), endStream: true));
        await server.Unary().AsTask().FailsAsync(StatusCode.Unauthenticated);
    }

    [Theory]
    [InlineData(Http2ErrorCode.Cancel, StatusCode.Cancelled)]
    [InlineData(Http2ErrorCode.NoError, StatusCode.Internal)]
    [InlineData(Http2ErrorCode.InternalError, StatusCode.Internal)]
    [InlineData(Http2ErrorCode.EnhanceYourCalm, StatusCode.ResourceExhausted)]
    [InlineData(Http2ErrorCode.InadequateSecurity, StatusCode.PermissionDenied)]
    public async Task A_reset_is_an_error_after_messages_too(Http2ErrorCode errorCode, StatusCode code)
    {
        var received = new TaskCompletionSource();
        await using var server = new RawServer((stream, _) => () =>
        {
            stream.SendHeaders(RawServer.Ok, endStream: false);
            stream.TrySend(RawServer.Message("one"));
            received.Task.Wait();
            stream.Reset(errorCode, "test");
        });
        await using var responses = server.ServerStream().GetAsyncEnumerator();
        Assert.True(await responses.MoveNextAsync().SoonAsync());
        received.SetResult();
        await responses.MoveNextAsync().AsTask().FailsAsync(code);
    }

    [Fact]
    public async Task Data_that_ends_the_stream_without_trailers_is_Internal()
    {
        await using var server = new RawServer((stream, _) => () =>
        {
            stream.SendHeaders(RawServer.Ok, endStream: false);
            stream.TrySend(RawServer.Message("one"));
            stream.SendEndOfStream();
        });
        var error = await server.ServerStream().ToListAsync().FailsAsync(StatusCode.Internal);
        Assert.Equal("the server ended the stream without trailers", error.Status.Detail);
        Assert.Equal(error.Status, (await server.Unary().AsTask().FailsAsync(StatusCode.Internal)).Status);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(7)]
    public async Task A_message_cut_off_by_trailers_is_Internal(int length)
    {
        await using var server = new RawServer((stream, _) => () =>
        {
            stream.SendHeaders(RawServer.Ok, endStream: false);
            stream.TrySend(new RawServer.RawPayload(new byte[] { 0, 0, 0, 0, 3, 65, 66, 67 }[..length]));
            stream.SendHeaders(RawServer.Headers("grpc-status=0"), endStream: true);
        });
        var error = await server.ServerStream().ToListAsync().FailsAsync(StatusCode.Internal);
        Assert.Equal($"the input ended within a message, after {length} of its bytes", error.Status.Detail);
    }

    [Theory]
    [InlineData(0, "the call ended with OK but without the response message")]
    [InlineData(2, "the server sent a second response message to a call that has one")]
    public async Task A_single_response_comes_exactly_once(int count, string detail)
    {
        await using var server = new RawServer((stream, _) => () =>
        {
            stream.SendHeaders(RawServer.Ok, endStream: false);
            for (var i = 0; i < count; i++)
            {
                stream.TrySend(RawServer.Message("one"));
            }

            stream.SendHeaders(RawServer.Headers("grpc-status=0"), endStream: true);
        });
        Assert.Equal(detail, (await server.Unary().AsTask().FailsAsync(StatusCode.Unimplemented)).Status.Detail);
        var clientStream = server.Channel.ClientStreaming(TestService.ClientMethod, default, default).CompleteAsync();
        Assert.Equal(detail, (await clientStream.FailsAsync(StatusCode.Unimplemented)).Status.Detail);
    }

    [Fact]
    public async Task A_call_that_the_server_has_not_processed_is_tried_once_more()
    {
        await using var server = new RawServer((stream, number) => () =>
        {
            if (number % 2 == 0)
            {
                stream.Reset(Http2ErrorCode.RefusedStream, "test");
            }
            else
            {
                stream.SendHeaders([.. RawServer.Ok, .. RawServer.Headers("grpc-status=0")], endStream: true);
            }
        });
        Assert.Empty(await server.ServerStream().ToListAsync().SoonAsync());
        Assert.Equal(2, server.Requests);
        await using var idle = server.Channel.DuplexStreaming(TestService.DuplexMethod, default, default);
        await idle.CompleteAsync().SoonAsync(); // before or after the retry: the end is sent on the new stream too
        Assert.Empty(await idle.Responses.ToListAsync().SoonAsync());
        Assert.Equal(4, server.Requests);
    }

    [Fact]
    public async Task A_call_that_is_refused_twice_is_Unavailable()
    {
        await using var server = new RawServer((stream, _) => () => stream.Reset(Http2ErrorCode.RefusedStream, "test"));
        await server.Unary().AsTask().FailsAsync(StatusCode.Unavailable);
        Assert.Equal(2, server.Requests);
    }

    [Fact]
    public async Task A_call_whose_messages_are_sent_is_not_tried_again()
    {
        var sent = new TaskCompletionSource();
        await using var server = new RawServer((stream, _) => () =>
        {
            sent.Task.Wait();
            stream.Reset(Http2ErrorCode.RefusedStream, "test");
        });
        await using var call = server.Channel.ClientStreaming(TestService.ClientMethod, default, default);
        await call.SendAsync("x").SoonAsync();
        sent.SetResult();
        await call.CompleteAsync().FailsAsync(StatusCode.Unavailable);
        Assert.Equal(1, server.Requests);
    }

    [Fact]
    public async Task A_reset_after_the_deadline_is_DeadlineExceeded()
    {
        var time = new Microsoft.Extensions.Time.Testing.FakeTimeProvider();
        await using var server = new RawServer(
            (stream, _) => () =>
            {
                time.AdjustTime(time.GetUtcNow() + TimeSpan.FromSeconds(2)); // the clock, not the timers
                stream.Reset(Http2ErrorCode.Cancel, "test");
            },
            channel: channel => channel.TimeProvider = time);
        await server.Unary(new CallOptions { Timeout = TimeSpan.FromSeconds(1) }).AsTask().FailsAsync(StatusCode.DeadlineExceeded);
    }

    [Theory]
    [InlineData("content-type=application/grpc", "content-type=application/json", ":status=415 END")]
    [InlineData("content-type=application/grpc", "content-type=application/grpc-web+proto", ":status=415 END")]
    [InlineData(":method=POST", ":method=GET", ":status=405; allow=POST END")]
    [InlineData("te=trailers", "grpc-encoding=snappy", ":status=200; content-type=application/grpc; grpc-status=12; grpc-message=the request is compressed with \"snappy\"; \"identity,gzip,deflate,br\" are accepted; grpc-accept-encoding=identity,gzip,deflate,br END")]
    [InlineData("te=trailers", "grpc-timeout=soon", ":status=200; content-type=application/grpc; grpc-status=13; grpc-message=the request's grpc-timeout \"soon\" is not one to eight digits and a unit of H, M, S, m, u or n END")]
    [InlineData("te=trailers", "k-bin=!", ":status=200; content-type=application/grpc; grpc-status=13; grpc-message=the request's \"k-bin\" is not base64 END")]
    [InlineData(":path=/test.Service/Unary", ":path=/nothing", ":status=200; content-type=application/grpc; grpc-status=12; grpc-message=the path \"/nothing\" is not of the form \"/service/method\"; grpc-accept-encoding=identity,gzip,deflate,br END")]
    public async Task A_request_that_is_not_right_is_refused_and_the_next_one_served(string right, string wrong, string expected)
    {
        await using var host = new TestHost();
        host.Service.OnUnary = (request, _) => ValueTask.FromResult(request);
        await using var client = await RawClient.ConnectAsync(host);
        foreach (var end in new[] { true, false })
        {
            var call = client.Send([.. RawClient.Post().Select(field => field == right ? wrong : field)], [0, 0, 0, 0, 0], end);
            Assert.Equal(expected, (await call.EndAsync())[0]);
        }

        var good = client.Send(RawClient.Post(), [0, 0, 0, 0, 2, 65, 66]);
        Assert.Equal([":status=200; content-type=application/grpc", "grpc-status=0 END"], await good.EndAsync());
        Assert.Equal("\0\0\0\0\u0002AB", good.Body);
    }

    [Theory]
    [InlineData("0n")]
    [InlineData("0S")]
    [InlineData("00000000H")]
    public async Task A_timeout_of_zero_is_DeadlineExceeded_before_any_handler(string timeout)
    {
        await using var host = new TestHost();
        host.Service.OnUnary = (request, _) => ValueTask.FromResult(request);
        await using var client = await RawClient.ConnectAsync(host);
        var call = client.Send([.. RawClient.Post(), $"grpc-timeout={timeout}"], [0, 0, 0, 0, 0], end: false);
        Assert.Equal(":status=200; content-type=application/grpc; grpc-status=4; grpc-message=the deadline had passed when the request came END", (await call.EndAsync())[0]);
        Assert.Equal(0, host.Activator.Created);
        Assert.Equal("grpc-status=0 END", (await client.Send(RawClient.Post(), [0, 0, 0, 0, 0]).EndAsync())[^1]);
    }

    [Theory]
    [InlineData("application/grpc+proto")]
    [InlineData("application/grpc;x=y")]
    public async Task Content_types_with_a_format_or_parameters_are_served(string contentType)
    {
        await using var host = new TestHost();
        host.Service.OnUnary = (request, _) => ValueTask.FromResult(request);
        await using var client = await RawClient.ConnectAsync(host);
        var call = client.Send([.. RawClient.Post()[..5], $"content-type={contentType}", "grpc-encoding=identity"], [0, 0, 0, 0, 0]);
        Assert.Equal("grpc-status=0 END", (await call.EndAsync())[^1]);
    }

    [Theory]
    [InlineData(new byte[0], 12, "the call ended without the request message")]
    [InlineData(new byte[] { 0, 0, 0 }, 13, "the input ended within a message, after 3 of its bytes")]
    [InlineData(new byte[] { 0, 0, 0, 0, 9, 1 }, 13, "the input ended within a message, after 6 of its bytes")]
    [InlineData(new byte[] { 1, 0, 0, 0, 0 }, 13, "received a message whose compressed flag is 1 without a grpc-encoding other than identity")]
    [InlineData(new byte[] { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 }, 12, "the client sent a second request message to a call that has one")]
    [InlineData(new byte[] { 0, 0, 0, 0, 0, 0 }, 12, "the client sent a second request message to a call that has one")]
    public async Task A_request_message_that_is_not_right_has_its_status_and_the_next_call_is_served(byte[] body, int status, string detail)
    {
        await using var host = new TestHost();
        host.Service.OnUnary = (request, _) => ValueTask.FromResult(request);
        await using var client = await RawClient.ConnectAsync(host);
        foreach (var method in new[] { "Unary", "Server" })
        {
            var call = client.Send(RawClient.Post($"/test.Service/{method}"), body);
            Assert.Equal([$":status=200; content-type=application/grpc; grpc-status={status}; grpc-message={detail} END"], await call.EndAsync());
        }

        Assert.Equal(0, host.Activator.Created); // no handler has run
        Assert.Equal("grpc-status=0 END", (await client.Send(RawClient.Post(), [0, 0, 0, 0, 0]).EndAsync())[^1]);
    }

    [Fact]
    public async Task A_call_that_ends_before_its_requests_tells_the_client_to_stop()
    {
        await using var host = new TestHost();
        host.Service.OnClient = (_, _) => ValueTask.FromResult("early");
        await using var client = await RawClient.ConnectAsync(host);
        var call = client.Send(RawClient.Post("/test.Service/Client"), [0, 0, 0, 0, 0], end: false);
        await call.EndAsync();
        while (call.Stream.Abort is null)
        {
            await Task.Yield();
        }

        Assert.Equal(Http2ErrorCode.NoError, call.Stream.Abort.ErrorCode);
        Assert.Equal([":status=200; content-type=application/grpc", "grpc-status=0 END"], call.Blocks[..2]);
        Assert.Equal("\0\0\0\0\u0005early", call.Body);
    }

    [Fact]
    public async Task More_calls_than_may_run_are_held_until_others_have_ended()
    {
        var (go, started) = (new TaskCompletionSource(), 0);
        await using var host = CreateBusy(go, () => Interlocked.Increment(ref started));
        await using var client = await RawClient.ConnectAsync(host);
        Storm(client, 30);
        var (held, unary) = (client.Send(RawClient.Post("/test.Service/Client"), [0, 0, 0, 0, 0]), client.Send(RawClient.Post(), [0, 0, 0, 0, 0]));
        await client.FenceAsync();
        Assert.Equal((0, 0), (held.Blocks.Count, unary.Blocks.Count));
        go.SetResult();
        Assert.Equal("grpc-status=0 END", (await held.EndAsync())[^1]);
        Assert.Equal("grpc-status=0 END", (await unary.EndAsync())[^1]);
        Assert.Equal(31, started);
        Assert.DoesNotContain(host.Log.Entries, entry => entry.Level >= Microsoft.Extensions.Logging.LogLevel.Warning);
    }

    [Fact]
    public async Task More_calls_than_may_run_are_refused_as_unprocessed()
    {
        var time = new Microsoft.Extensions.Time.Testing.FakeTimeProvider();
        var (go, started) = (new TaskCompletionSource(), 0);
        await using var host = CreateBusy(go, () => Interlocked.Increment(ref started), time);
        await using var client = await RawClient.ConnectAsync(host);
        Storm(client, 30);
        for (var i = 0; i < 3; i++)
        {
            var refused = client.Send(RawClient.Post("/test.Service/Client"), [], end: false);
            await client.FenceAsync();
            time.Advance(TimeSpan.FromSeconds(0.999));
            await client.FenceAsync();
            Assert.Empty(refused.Blocks);
            time.Advance(TimeSpan.FromSeconds(0.001));
            Assert.Equal(["RST RefusedStream"], await refused.EndAsync());
        }

        var warning = Assert.Single(host.Log.Entries, entry => entry.Level == Microsoft.Extensions.Logging.LogLevel.Warning);
        Assert.Equal("A call of pipe was refused after it was held: 30 calls of its connection are running; the limit is 30. More of this connection are not logged.", warning.Text);
        go.SetResult();
        Assert.Equal("grpc-status=0 END", (await client.Send(RawClient.Post(), [0, 0, 0, 0, 0]).EndAsync())[^1]);
        Assert.Equal(30, started);
    }

    [Fact]
    public async Task A_held_call_that_is_cancelled_or_late_never_runs_and_leaves_its_place()
    {
        var time = new Microsoft.Extensions.Time.Testing.FakeTimeProvider();
        var (go, started) = (new TaskCompletionSource(), 0);
        await using var host = CreateBusy(go, () => Interlocked.Increment(ref started), time);
        await using var client = await RawClient.ConnectAsync(host);
        Storm(client, 500); // 470 of them held, and cancelled
        var late = client.Send([.. RawClient.Post("/test.Service/Client"), "grpc-timeout=500m"], [], end: false);
        await client.FenceAsync();
        time.Advance(TimeSpan.FromSeconds(0.5));
        Assert.Contains("grpc-status=4", (await late.EndAsync())[0], StringComparison.Ordinal);
        var served = client.Send(RawClient.Post("/test.Service/Client"), [0, 0, 0, 0, 0]);
        await client.FenceAsync();
        time.Advance(TimeSpan.FromSeconds(0.9)); // those before it would have been refused by now
        go.SetResult();
        Assert.Equal("grpc-status=0 END", (await served.EndAsync())[^1]);
        Assert.Equal(31, started);
        Assert.DoesNotContain(host.Log.Entries, entry => entry.Level >= Microsoft.Extensions.Logging.LogLevel.Warning);
    }

    [Fact]
    public async Task Held_calls_end_with_their_connection()
    {
        var (go, started) = (new TaskCompletionSource(), 0);
        await using var host = CreateBusy(go, () => Interlocked.Increment(ref started));
        var client = await RawClient.ConnectAsync(host);
        Storm(client, 30);
        client.Send(RawClient.Post("/test.Service/Client"), [], end: false);
        await client.FenceAsync();
        await client.DisposeAsync();
        go.SetResult();
        await host.AllServedAsync().SoonAsync();
        Assert.Equal(30, started);
    }

    /// <summary>A server that runs at most 30 calls of a connection, whose client-streaming calls do not heed their cancellation.</summary>
    private static TestHost CreateBusy(TaskCompletionSource go, Action onStart, TimeProvider? time = null)
    {
        var host = new TestHost(server =>
        {
            server.Http2.MaxConcurrentStreams = 3;
            server.TimeProvider = time ?? TimeProvider.System;
        });
        host.Service.OnUnary = (request, _) => ValueTask.FromResult(request);
        host.Service.OnClient = async (_, _) =>
        {
            onStart();
            await go.Task;
            return "";
        };
        return host;
    }

    private static void Storm(RawClient client, int count)
    {
        for (var i = 0; i < count; i++)
        {
            client.Send(RawClient.Post("/test.Service/Client"), [], end: false).Stream.Reset(Http2ErrorCode.Cancel, "in a hurry");
        }
    }
}
