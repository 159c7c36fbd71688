using System.Text;
using Weir.Http2;
using Weir.Http2.Tests.Wire;
using Weir.Rpc.Tests.Support;

namespace Weir.Rpc.Tests;

/// <summary>A channel against servers and proxies with manners that are seldom, or wrong: which status the caller sees.</summary>
/// <remarks>https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md and http-grpc-status-mapping.md.</remarks>
public sealed class OddServerTests
{
    private static readonly (string, string)[] Ok = [(":status", "200"), ("content-type", "application/grpc")];
    private static readonly (string, string)[] Trailers = [("grpc-status", "0")];

    [Theory]
    [InlineData(400, StatusCode.Internal)]
    [InlineData(401, StatusCode.Unauthenticated)]
    [InlineData(403, StatusCode.PermissionDenied)]
    [InlineData(404, StatusCode.Unimplemented)]
    [InlineData(429, StatusCode.Unavailable)]
    [InlineData(502, StatusCode.Unavailable)]
    [InlineData(503, StatusCode.Unavailable)]
    [InlineData(504, StatusCode.Unavailable)]
    [InlineData(204, StatusCode.Unknown)]
    [InlineData(302, StatusCode.Unknown)]
    [InlineData(408, StatusCode.Unknown)]
    [InlineData(413, StatusCode.Unknown)]
    [InlineData(500, StatusCode.Unknown)]
    [InlineData(599, StatusCode.Unknown)]
    public async Task A_proxys_page_is_told_from_its_http_status_with_a_body_or_without(int httpStatus, StatusCode code)
    {
        foreach (var hasBody in new[] { true, false })
        {
            await using var server = new RawServer((stream, _) => () =>
            {
                stream.SendHeaders(RawServer.Headers($":status={httpStatus}", "content-type=text/html"), endStream: !hasBody);
                if (hasBody)
                {
                    try
                    {
                        stream.TrySend(new RawServer.RawPayload("<html>no</html>"u8.ToArray()));
                        stream.SendEndOfStream();
                    }
                    catch (Http2StreamException)
                    {
                        // The client has seen enough.
                    }
                }
            });
            var error = await server.Unary().AsTask().FailsAsync(code);
            Assert.Equal($"the response's HTTP status is {httpStatus}", error.Status.Detail);
            await server.ServerStream().ToListAsync().FailsAsync(code);
        }
    }

    [Theory]
    [InlineData(":status=503;content-type=text/html;grpc-status=7;grpc-message=no", StatusCode.PermissionDenied, "no")]
    [InlineData(":status=200;content-type=text/html", StatusCode.Unknown, "the response's trailers have no grpc-status")]
    [InlineData(":status=200", StatusCode.Unknown, "the response's trailers have no grpc-status")]
    [InlineData(":status=200;content-type=application/grpc;grpc-status=-1", StatusCode.Unknown, "the response's grpc-status is \"-1\"")]
    [InlineData(":status=200;content-type=application/grpc;grpc-status=17", StatusCode.Unknown, "the response's grpc-status is \"17\"")]
    [InlineData(":status=200;content-type=application/grpc;grpc-status=99999999999", StatusCode.Unknown, "the response's grpc-status is \"99999999999\"")]
    [InlineData(":status=200;content-type=application/grpc;grpc-status=1.0", StatusCode.Unknown, "the response's grpc-status is \"1.0\"")]
    [InlineData(":status=200;content-type=application/grpc;grpc-status=", StatusCode.Unknown, "the response's grpc-status is \"\"")]
    [InlineData(":status=200;content-type=application/grpc;grpc-status=17;grpc-message=odd", StatusCode.Unknown, "odd")]
    [InlineData(":status=200;content-type=application/grpc;grpc-status=3;grpc-message=a%", StatusCode.InvalidArgument, "a%")]
    [InlineData(":status=200;content-type=application/grpc;grpc-status=3;grpc-message=%4", StatusCode.InvalidArgument, "%4")]
    [InlineData(":status=200;content-type=application/grpc;grpc-status=3;grpc-message=%g1%41", StatusCode.InvalidArgument, "%g1A")]
    [InlineData(":status=200;content-type=application/grpc;grpc-status=3;grpc-message=%ff", StatusCode.InvalidArgument, "\uFFFD")]
    [InlineData(":status=200;content-type=application/grpc;grpc-status=3;grpc-message= as grpc-go sends it \t", StatusCode.InvalidArgument, " as grpc-go sends it \t")]
    public async Task A_single_block_is_the_status(string fields, StatusCode code, string detail)
    {
        await using var server = new RawServer((stream, _) => () => stream.SendHeaders(RawServer.Headers(fields.Split(';')), endStream: true));
        Assert.Equal(detail, (await server.Unary().AsTask().FailsAsync(code)).Status.Detail);
    }

    [Theory]
    [InlineData("application/grpc", true)]
    [InlineData("application/grpc+proto", true)]
    [InlineData("application/grpc+json", true)]
    [InlineData("application/grpc;charset=utf-8", true)]
    [InlineData("Application/GRPC", true)]
    [InlineData("application/grpc-web", false)]
    [InlineData("application/json", false)]
    [InlineData("", false)]
    [InlineData(null, false)]
    public async Task A_response_is_read_when_its_content_type_is_one_of_grpc(string? contentType, bool isRead)
    {
        await using var server = new RawServer((stream, _) => () =>
        {
            stream.SendHeaders(RawServer.Headers(contentType is null ? [":status=200"] : [":status=200", $"content-type={contentType}"]), endStream: false);
            try
            {
                stream.TrySend(RawServer.Message("message"));
                stream.SendHeaders(RawServer.Headers("grpc-status=0"), endStream: true);
            }
            catch (Http2StreamException) when (!isRead)
            {
                // The client has seen enough.
            }
        });
        if (isRead)
        {
            Assert.Equal("message", await server.Unary().SoonAsync());
        }
        else
        {
            var error = await server.Unary().AsTask().FailsAsync(StatusCode.Unknown);
            Assert.Equal($"the response's content-type is \"{contentType}\"; \"application/grpc\" is expected", error.Status.Detail);
        }
    }

    [Fact]
    public async Task Informational_headers_unknown_frames_and_padding_are_passed_over()
    {
        await using var server = new WireServer();
        var call = server.Unary();
        var (peer, stream) = await server.RequestAsync();
        await peer.SendAsync(
            WireFrame.Headers(stream, false, (":status", "100")),
            WireFrame.Headers(stream, false, (":status", "103"), ("link", "</style.css>")),
            new WireFrame((WireFrameType)0x42, 0xff, stream, [1, 2, 3]),
            WireFrame.Headers(stream, false, Ok),
            new WireFrame((WireFrameType)0xfe, 0, 0, [4]),
            WireFrame.Data(stream, [], padding: 9),
            WireFrame.Data(stream, [0, 0, 0], padding: 0),
            new WireFrame((WireFrameType)0x42, 0, stream, []),
            WireFrame.Data(stream, [0, 2, .. "ok"u8], padding: 255),
            WireFrame.Data(stream, []),
            WireFrame.Headers(stream, true, Trailers));
        Assert.Equal("ok", await call.SoonAsync());
        Assert.Empty(await call.GetResponseHeadersAsync().SoonAsync()); // not those of the informational ones
    }

    [Fact]
    public async Task Blanks_at_the_ends_belong_to_a_message_and_not_to_metadata()
    {
        await using var server = new WireServer();
        var call = server.Unary();
        var (peer, stream) = await server.RequestAsync();
        await peer.SendAsync(
            WireFrame.Headers(stream, false, [.. Ok, ("x-head", " h")]),
            WireFrame.Headers(stream, true, ("grpc-status", "5"), ("grpc-message", " no such file \t"), ("x-tail", "t ")));
        var error = await call.AsTask().FailsAsync(StatusCode.NotFound);
        Assert.Equal((" no such file \t", "t"), (error.Status.Detail, error.Trailers.GetValue("x-tail"))); // grpc-go sends a message as it is
        Assert.Equal("h", (await call.GetResponseHeadersAsync().SoonAsync()).GetValue("x-head"));
        await server.CheckNextCallAsync();
    }

    [Fact]
    public async Task Padding_is_given_back_to_the_server_in_full()
    {
        // 1000 messages of 6 octets with 256 of padding each: four times the window, nearly all of it padding.
        const int FrameOctets = 6 + 256;
        await using var server = new WireServer(options => options.Http2.StreamWindowBytes = 65_536);
        var messages = server.ServerStream().ToListAsync();
        var (peer, stream) = await server.RequestAsync();
        await peer.SendAsync(WireFrame.Headers(stream, false, Ok));
        var window = 65_535L; // of a stream before SETTINGS say more; they do not say less
        for (var i = 0; i < 1000; i++)
        {
            while (window < FrameOctets)
            {
                var update = await peer.SkipToAsync(WireFrameType.WindowUpdate);
                window += update.StreamId == stream ? update.Increment : 0;
            }

            window -= FrameOctets;
            await peer.SendAsync(WireFrame.Data(stream, [0, 0, 0, 0, 1, (byte)'x'], padding: 255));
        }

        await peer.SendAsync(WireFrame.Headers(stream, true, Trailers));
        Assert.Equal(1000, (await messages.SoonAsync()).Count);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Data_after_the_end_changes_nothing_of_the_call_and_the_next_one_is_served(bool trailersOnly)
    {
        await using var server = new WireServer();
        var call = server.ServerStream().ToListAsync();
        var (peer, stream) = await server.RequestAsync();
        while (!(await peer.SkipToAsync(WireFrameType.Data)).IsEndStream) // or the client would reset what it has not sent
        {
        }

        if (!trailersOnly)
        {
            await peer.SendAsync(WireFrame.Headers(stream, false, Ok), WireFrame.Data(stream, [0, 0, 0, 0, 1, (byte)'x']));
        }

        await peer.SendAsync(WireFrame.Headers(stream, true, trailersOnly ? [.. Ok, .. Trailers] : Trailers));
        Assert.Equal(trailersOnly ? 0 : 1, (await call.SoonAsync()).Count);
        await peer.SendAsync(WireFrame.Data(stream, "<html>body</html>"u8.ToArray(), endStream: true));
        var reset = await peer.SkipToAsync(WireFrameType.RstStream); // a stream's error: RFC 9113 §5.1 leaves the choice to the receiver
        Assert.Equal((stream, Http2ErrorCode.StreamClosed), (reset.StreamId, reset.ErrorCode));
        await server.CheckNextCallAsync();
    }

    [Fact]
    public async Task Calls_above_the_goaway_are_tried_again_elsewhere_and_those_below_go_on()
    {
        await using var server = new WireServer();
        var below = server.Unary();
        var (peer, first) = await server.RequestAsync();
        var above = server.Unary();
        var second = (await peer.SkipToAsync(WireFrameType.Headers)).StreamId;
        await using var sent = server.Channel.ClientStreaming(TestService.ClientMethod, default, default);
        var third = (await peer.SkipToAsync(WireFrameType.Headers)).StreamId;
        await sent.SendAsync("gone").SoonAsync();
        while ((await peer.SkipToAsync(WireFrameType.Data)).StreamId != third)
        {
        }

        Assert.True(first < second && second < third);
        await peer.SendAsync(WireFrame.GoAway(first, Http2ErrorCode.NoError));
        await sent.CompleteAsync().FailsAsync(StatusCode.Unavailable); // its message went out: nobody can send it again

        var (other, retried) = await server.RequestAsync();
        Assert.NotSame(peer, other);
        await AnswerAsync(other, retried, "again");
        Assert.Equal("again", await above.SoonAsync());
        await AnswerAsync(peer, first, "on");
        Assert.Equal("on", await below.SoonAsync());
    }

    [Fact]
    public async Task A_call_above_the_goaway_is_tried_again_beside_the_attempts_of_its_policy()
    {
        await using var server = new WireServer(options => options.ServiceConfig = new ServiceConfig
        {
            MethodConfigs = [new MethodConfig { Names = [new("test.Service")], RetryPolicy = new RetryPolicy { MaxAttempts = 2, InitialBackoff = TimeSpan.FromMilliseconds(1) } }],
        });
        var call = server.Unary();
        var (peer, _) = await server.RequestAsync();
        await peer.SendAsync(WireFrame.GoAway(0, Http2ErrorCode.NoError));
        var (other, first) = await server.RequestAsync();
        await other.SendAsync(WireFrame.Headers(first, true, [.. Ok, ("grpc-status", "14")]));
        await AnswerAsync(other, (await other.SkipToAsync(WireFrameType.Headers)).StreamId, "second");
        Assert.Equal("second", await call.SoonAsync());
    }

    [Fact]
    public async Task A_refused_stream_is_tried_again_and_then_Unavailable()
    {
        await using var server = new WireServer();
        var call = server.Unary();
        var (peer, stream) = await server.RequestAsync();
        await peer.SendAsync(WireFrame.RstStream(stream, Http2ErrorCode.RefusedStream));
        var retried = (await peer.SkipToAsync(WireFrameType.Headers)).StreamId;
        Assert.True(retried > stream);
        await peer.SendAsync(WireFrame.RstStream(retried, Http2ErrorCode.RefusedStream));
        await call.AsTask().FailsAsync(StatusCode.Unavailable);
        await server.CheckNextCallAsync();
    }

    [Theory]
    [InlineData(MethodKind.Unary)]
    [InlineData(MethodKind.ClientStreaming)]
    [InlineData(MethodKind.ServerStreaming)]
    public async Task A_response_above_the_limit_ends_the_call_with_the_last_octet_of_its_prefix(MethodKind kind)
    {
        await using var server = new WireServer(options => options.MaxReceiveMessageBytes = 10);
        var call = server.Start(kind);
        var (peer, stream) = await server.RequestAsync();
        await peer.SendAsync(WireFrame.Headers(stream, false, Ok), WireFrame.Data(stream, [0, 0, 0, 0]));
        await peer.SendAsync(WireFrame.Data(stream, [11])); // and then nothing more, not even the end
        var error = await call.FailsAsync(StatusCode.ResourceExhausted);
        Assert.Equal("received message of 11 bytes; the limit is 10 (MaxReceiveMessageBytes)", error.Status.Detail);
        var reset = await peer.SkipToAsync(WireFrameType.RstStream);
        Assert.Equal((stream, Http2ErrorCode.Cancel), (reset.StreamId, reset.ErrorCode));
        await server.CheckNextCallAsync();
    }

    [Theory]
    [InlineData(MethodKind.Unary, 1)]
    [InlineData(MethodKind.Unary, 5000)]
    [InlineData(MethodKind.ClientStreaming, 1)]
    [InlineData(MethodKind.ClientStreaming, 5000)]
    public async Task A_second_response_ends_the_call_with_its_first_octet(MethodKind kind, int size)
    {
        await using var server = new WireServer();
        var call = server.Start(kind);
        var (peer, stream) = await server.RequestAsync();
        await peer.SendAsync(WireFrame.Headers(stream, false, Ok), WireFrame.Data(stream, [0, 0, 0, (byte)(size >> 8), (byte)size, .. new byte[size]]));
        await peer.SendAsync(WireFrame.Data(stream, [0])); // and then nothing more, not even the end
        var error = await call.FailsAsync(StatusCode.Unimplemented);
        Assert.Equal("the server sent a second response message to a call that has one", error.Status.Detail);
        var reset = await peer.SkipToAsync(WireFrameType.RstStream);
        Assert.Equal((stream, Http2ErrorCode.Cancel), (reset.StreamId, reset.ErrorCode));
        await server.CheckNextCallAsync();
    }

    [Theory]
    [InlineData(MethodKind.Unary, true)]
    [InlineData(MethodKind.Unary, false)]
    [InlineData(MethodKind.ClientStreaming, true)]
    [InlineData(MethodKind.ClientStreaming, false)]
    public async Task A_status_without_the_response_is_kept_if_it_is_an_error(MethodKind kind, bool trailersOnly)
    {
        await using var server = new WireServer();
        var call = server.Start(kind);
        var (peer, stream) = await server.RequestAsync();
        await peer.SendAsync(trailersOnly
            ? [WireFrame.Headers(stream, true, [.. Ok, ("grpc-status", "0"), ("x-tail", "t")])]
            : [WireFrame.Headers(stream, false, Ok), WireFrame.Headers(stream, true, [.. Trailers, ("x-tail", "t")])]);
        var error = await call.FailsAsync(StatusCode.Unimplemented);
        Assert.Equal(("the call ended with OK but without the response message", "t"), (error.Status.Detail, error.Trailers.GetValue("x-tail")));
        call = server.Start(kind);
        stream = (await peer.SkipToAsync(WireFrameType.Headers)).StreamId;
        await peer.SendAsync(WireFrame.Headers(stream, true, [.. Ok, ("grpc-status", "5")]));
        await call.FailsAsync(StatusCode.NotFound);
        await server.CheckNextCallAsync();
    }

    [Fact]
    public async Task Requests_end_with_an_empty_data_frame()
    {
        await using var server = new WireServer();
        await using var call = server.Channel.ClientStreaming(TestService.ClientMethod, default, default);
        var (peer, stream) = await server.RequestAsync();
        await call.SendAsync("one").SoonAsync();
        var message = await peer.SkipToAsync(WireFrameType.Data);
        Assert.Equal((false, "\0\0\0\0\u0003one"), (message.IsEndStream, Encoding.UTF8.GetString(message.Content.Span)));
        var response = call.CompleteAsync();
        var end = await peer.SkipToAsync(WireFrameType.Data);
        Assert.Equal((stream, true, 0), (end.StreamId, end.IsEndStream, end.Content.Length));
        await AnswerAsync(peer, stream, "answer");
        Assert.Equal("answer", await response.SoonAsync());
    }

    private static Task AnswerAsync(WirePeer peer, int stream, string text) => peer.SendAsync(
        WireFrame.Headers(stream, false, Ok),
        WireFrame.Data(stream, [0, 0, 0, 0, (byte)text.Length, .. Encoding.UTF8.GetBytes(text)]),
        WireFrame.Headers(stream, true, Trailers));

    /// <summary>A server that sends frames as a test writes them down; each connection of the channel has a peer of its own.</summary>
    private sealed class WireServer : IAsyncDisposable
    {
        private readonly System.Threading.Channels.Channel<WirePeer> _connections = System.Threading.Channels.Channel.CreateBounded<WirePeer>(8);
        private WirePeer? _last;

        public WireServer(Action<RpcChannelOptions>? configure = null)
        {
            var options = new RpcChannelOptions { ConnectTransport = Connect };
            options.Http2.CloseTimeout = TimeSpan.Zero; // the peer, which never closes, has read what it wants by then
            configure?.Invoke(options);
            Channel = RpcChannel.ForAddress("http://wire", options);
        }

        public RpcChannel Channel { get; }

        public UnaryCall<string> Unary() => Channel.Unary(TestService.UnaryMethod, "request", default, default);

        public ServerStreamingCall<string> ServerStream() => Channel.ServerStreaming(TestService.ServerMethod, "request", default, default);

        /// <summary>A call of any kind, to its end.</summary>
        public Task Start(MethodKind kind) => kind switch
        {
            MethodKind.Unary => Unary().AsTask(),
            MethodKind.ClientStreaming => Channel.ClientStreaming(TestService.ClientMethod, default, default).CompleteAsync(),
            MethodKind.ServerStreaming => ServerStream().ToListAsync(),
            _ => throw new ArgumentOutOfRangeException(nameof(kind)),
        };

        /// <summary>The first request of the next connection.</summary>
        public async Task<(WirePeer Peer, int Stream)> RequestAsync()
        {
            _last = await _connections.Reader.ReadAsync().SoonAsync("the channel to connect");
            await _last.ReadPrefaceAsync();
            await _last.SendAsync(WireFrame.Settings(), WireFrame.SettingsAck());
            return (_last, (await _last.SkipToAsync(WireFrameType.Headers)).StreamId);
        }

        /// <summary>Serves a call on the same connection.</summary>
        public async Task CheckNextCallAsync()
        {
            var call = Unary();
            var stream = (await _last!.SkipToAsync(WireFrameType.Headers)).StreamId;
            await AnswerAsync(_last, stream, "next");
            Assert.Equal("next", await call.SoonAsync());
        }

        public async ValueTask DisposeAsync() => await Channel.DisposeAsync().SoonAsync("the channel to be disposed of");

        private ValueTask<System.IO.Pipelines.IDuplexPipe> Connect(CancellationToken stop)
        {
            var (client, server) = DuplexPipePair.Create();
            Assert.True(_connections.Writer.TryWrite(new WirePeer(server)));
            return new(client);
        }
    }
}
