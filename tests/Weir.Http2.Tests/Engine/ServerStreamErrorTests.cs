using Weir.Http2.Tests.Wire;
using static Weir.Http2.Http2ErrorCode;

namespace Weir.Http2.Tests.Engine;

/// <summary>What RFC 9113 makes an error of one stream: the stream is reset, its neighbour and the next stream work.</summary>
public sealed class ServerStreamErrorTests
{
    // Every case finds stream 1 open and stream 3 half-closed (remote), both waiting for their answers.
    internal static readonly Dictionary<string, (WireFrame[] Frames, int StreamId, Http2ErrorCode Code)> Cases = new()
    {
        ["Data on a half-closed stream"] = ([WireFrame.Data(3, [1])], 3, StreamClosed),
        ["Headers on a half-closed stream"] = ([WireFrame.Headers(3, true, ("x", "y"))], 3, StreamClosed),
        ["Trailers without END_STREAM"] = ([WireFrame.Headers(1, false, ("x", "y"))], 1, ProtocolError),
        ["Trailers with a pseudo-header"] = ([WireFrame.Headers(1, true, (":method", "GET"))], 1, ProtocolError),
        ["Trailers with an upper-case name"] = ([WireFrame.Headers(1, true, ("X", "y"))], 1, ProtocolError),
        ["WindowUpdate of 0"] = ([WireFrame.WindowUpdate(1, 0)], 1, ProtocolError),
        ["WindowUpdate that overflows"] = ([WireFrame.WindowUpdate(1, int.MaxValue)], 1, FlowControlError),
        ["Priority of four octets"] = ([new(WireFrameType.Priority, 0, 1, new byte[4])], 1, FrameSizeError),
        ["Data beyond the stream's window"] = ([WireFrame.Data(1, new byte[16_000]), WireFrame.Data(1, new byte[16_000])], 1, FlowControlError),
        ["Padding beyond the stream's window"] =
            ([WireFrame.Data(1, new byte[16_000]), WireFrame.Data(1, new byte[3_900], padding: 100)], 1, FlowControlError),
    };

    static readonly (string, string)[] Get = ServerUnderTest.Get;

    // Requests that are malformed (RFC 9113 §8.1.1), each on stream 5.
    internal static readonly Dictionary<string, (string Name, string Value)[]> Malformed = new()
    {
        ["an upper-case name"] = [.. Get, ("X-test", "y")],
        ["a name with a blank"] = [.. Get, ("x test", "y")],
        ["a name with a colon"] = [.. Get, ("x:y", "y")],
        ["an empty name"] = [.. Get, ("", "y")],
        ["a value with a line feed"] = [.. Get, ("x", "a\nb")],
        ["a value with a NUL"] = [.. Get, ("x", "a\0b")],
        ["a path with a blank before it"] = [(":method", "GET"), (":scheme", "http"), (":path", " /")],
        ["a path with a tab behind it"] = [(":method", "GET"), (":scheme", "http"), (":path", "/\t")],
        ["a path with a line break"] = [(":method", "GET"), (":scheme", "http"), (":path", "/\r\nx: y")],
        ["an unknown pseudo-header"] = [.. Get, (":test", "y")],
        ["a response's pseudo-header"] = [.. Get, (":status", "200")],
        ["a pseudo-header after a field"] = [("x", "y"), .. Get],
        ["no :method"] = [(":scheme", "http"), (":path", "/")],
        ["no :scheme"] = [(":method", "GET"), (":path", "/")],
        ["no :path"] = [(":method", "GET"), (":scheme", "http")],
        ["an empty :path"] = [(":method", "GET"), (":scheme", "http"), (":path", "")],
        [":method twice"] = [(":method", "GET"), .. Get],
        [":authority twice"] = [.. Get, (":authority", "b")],
        ["CONNECT with :path"] = [(":method", "CONNECT"), (":authority", "a"), (":path", "/")],
        ["CONNECT without :authority"] = [(":method", "CONNECT")],
        ["connection"] = [.. Get, ("connection", "close")],
        ["keep-alive"] = [.. Get, ("keep-alive", "1")],
        ["proxy-connection"] = [.. Get, ("proxy-connection", "close")],
        ["transfer-encoding"] = [.. Get, ("transfer-encoding", "chunked")],
        ["upgrade"] = [.. Get, ("upgrade", "h2c")],
        ["te other than trailers"] = [.. Get, ("te", "trailers, gzip")],
        ["content-length that is no number"] = [.. Get, ("content-length", "x")],
        ["content-length twice"] = [.. Get, ("content-length", "0"), ("content-length", "1")],
        ["content-length without a body"] = [.. Get, ("content-length", "1")],
    };

    public static TheoryData<string> CaseNames => [.. Cases.Keys];

    public static TheoryData<string> MalformedNames => [.. Malformed.Keys];

    [Theory, MemberData(nameof(CaseNames))]
    public async Task Stream_error_resets_the_stream_with_its_code_and_the_others_go_on(string name)
    {
        (WireFrame[] frames, int streamId, Http2ErrorCode code) = Cases[name];
        await using var server = await ServerUnderTest.StartAsync(new Http2Options { StreamWindowBytes = 20_000 });
        TestStream open = await server.OpenAsync(1);
        TestStream halfClosed = await server.OpenAsync(3, endStream: true);
        (TestStream failed, TestStream other) = streamId == 1 ? (open, halfClosed) : (halfClosed, open);

        await server.Peer.SendAsync(frames);

        await server.ExpectResetAsync(streamId, code);
        Http2StreamAbort abort = await failed.AbortAsync();
        Assert.Equal((Http2AbortOrigin.Local, code, false), (abort.Origin, abort.ErrorCode, abort.IsUnprocessed));
        Assert.Equal(1, failed.Aborts);
        await Assert.ThrowsAsync<Http2StreamException>(() => failed.SendAsync("late"));
        failed.Answer(); // no effect any more
        failed.Stream.CloseInput();
        await server.CheckNextStreamAsync(5);
        other.Answer();
        Assert.Equal(other.Stream.Id, (await server.Peer.ReadHeadersAsync()).StreamId);
        Assert.Equal(0, other.Aborts);
    }

    [Theory, MemberData(nameof(MalformedNames))]
    public async Task Malformed_request_is_reset_with_ProtocolError_and_no_handler_sees_it(string name)
    {
        await using var server = await ServerUnderTest.StartAsync();
        await server.Peer.SendAsync(WireFrame.Headers(5, true, Malformed[name]));
        await server.ExpectResetAsync(5, ProtocolError);
        Assert.Empty(server.Streams);
        await server.CheckNextStreamAsync(7);
    }

    [Theory]
    [InlineData(3, "abcd", true)]
    [InlineData(3, "ab", true)]
    [InlineData(3, "abcd", false)]
    public async Task Body_that_differs_from_content_length_is_reset_with_ProtocolError(int promised, string body, bool endStream)
    {
        await using var server = await ServerUnderTest.StartAsync();
        await server.Peer.SendAsync(WireFrame.Headers(1, false, [.. ServerUnderTest.Post, ("content-length", $"{promised}")]));
        TestStream stream = await server.RequestAsync();
        await server.Peer.SendAsync(WireFrame.Data(1, System.Text.Encoding.ASCII.GetBytes(body), endStream));
        await server.ExpectResetAsync(1, ProtocolError);
        Assert.Contains("content-length", (await stream.AbortAsync()).Message, StringComparison.Ordinal);
        Assert.False(stream.Stream.IsInputCompleted);
        await server.CheckNextStreamAsync(3);
    }

    [Fact]
    public async Task Trailers_before_the_end_of_content_length_are_reset_with_ProtocolError()
    {
        await using var server = await ServerUnderTest.StartAsync();
        await server.Peer.SendAsync(WireFrame.Headers(1, false, [.. ServerUnderTest.Post, ("content-length", "3")]), WireFrame.Headers(1, true, ("x", "y")));
        TestStream stream = await server.RequestAsync();
        await server.ExpectResetAsync(1, ProtocolError);
        Assert.Equal(1, stream.Aborts);
        Assert.False(stream.HasHeaders, "the trailers of a malformed body were told");
        await server.CheckNextStreamAsync(3);
    }

    [Fact]
    public async Task Frames_on_a_stream_that_this_side_reset_are_discarded_and_their_windows_given_back()
    {
        await using var server = await ServerUnderTest.StartAsync(new Http2Options { ConnectionWindowBytes = 65_535 });
        TestStream stream = await server.OpenAsync(1);
        stream.Stream.Reset(Cancel, "enough");
        await server.ExpectResetAsync(1, Cancel);
        for (int i = 0; i < 10; i++)
            await server.Peer.SendAsync(WireFrame.Data(1, new byte[8_000], padding: 10));
        await server.Peer.SendAsync(WireFrame.WindowUpdate(1, 5), WireFrame.RstStream(1, Cancel), WireFrame.Headers(1, true, ("x", "y")));
        List<WireFrame> frames = await server.FenceAsync();
        Assert.All(frames, frame => Assert.Equal((WireFrameType.WindowUpdate, 0), (frame.Type, frame.StreamId)));
        Assert.InRange(frames.Sum(frame => frame.Increment), 80_110 - 32_767, 80_110);
        await server.CheckNextStreamAsync(3);
    }

    [Fact]
    public async Task Data_on_a_stream_that_the_peer_reset_is_answered_with_StreamClosed()
    {
        await using var server = await ServerUnderTest.StartAsync();
        TestStream stream = await server.OpenAsync(1);
        await server.Peer.SendAsync(WireFrame.RstStream(1, Cancel), WireFrame.Data(1, [1]));
        await server.ExpectResetAsync(1, StreamClosed);
        Http2StreamAbort abort = await stream.AbortAsync();
        Assert.Equal((Http2AbortOrigin.PeerReset, Cancel, false), (abort.Origin, abort.ErrorCode, abort.IsUnprocessed));
        await server.CheckNextStreamAsync(3);
    }
}
