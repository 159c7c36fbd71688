using Weir.Http2.Tests.Wire;
using static Weir.Http2.Http2ErrorCode;

namespace Weir.Http2.Tests.Engine;

/// <summary>What RFC 9113 makes a connection error, seen by a client; the cases of each section in a row.</summary>
public sealed class ServerConformanceTests
{
    static readonly byte[] Block = WireHeaders.Encode(ServerUnderTest.Get);

    // Every case starts with stream 1 open, stream 3 ended by both sides, and stream 5 half-closed (remote).
    internal static readonly Dictionary<string, (WireFrame[] Frames, Http2ErrorCode Code)> Cases = new()
    {
        ["Data on stream 0"] = ([WireFrame.Data(0, [1])], ProtocolError),
        ["Data on an idle stream"] = ([WireFrame.Data(7, [1])], ProtocolError),
        ["Data on a server's stream"] = ([WireFrame.Data(2, [1])], ProtocolError),
        ["Data on a stream closed by both sides"] = ([WireFrame.Data(3, [1])], StreamClosed),
        ["Data with more padding than octets"] = ([new(WireFrameType.Data, WireFrame.PaddedFlag, 1, [6, 1, 2, 3, 4, 5])], ProtocolError),
        ["Data padded without a pad length"] = ([new(WireFrameType.Data, WireFrame.PaddedFlag, 1, [])], ProtocolError),
        ["Headers on stream 0"] = ([WireFrame.Headers(0, Block, true)], ProtocolError),
        ["Headers on an even stream"] = ([WireFrame.Headers(8, Block, true)], ProtocolError),
        ["Headers on a stream closed by both sides"] = ([WireFrame.Headers(3, Block, true)], StreamClosed),
        ["Headers with more padding than octets"] = ([new(WireFrameType.Headers, 0xd, 7, [200, .. Block])], ProtocolError),
        ["Headers padded without a pad length"] = ([new(WireFrameType.Headers, 0xd, 7, [])], ProtocolError),
        ["Headers too short for its priority"] = ([new(WireFrameType.Headers, 0x25, 7, [0, 0, 0])], FrameSizeError),
        ["Headers on a stream that was passed over"] = ([WireFrame.Headers(11, Block, true), WireFrame.Headers(9, Block, true)], ProtocolError),
        ["Headers whose block cannot be decoded"] = ([WireFrame.Headers(7, [0x80], true)], CompressionError),
        ["Headers whose block is cut off"] = ([WireFrame.Headers(7, [0x40, 0x05, (byte)'a'], true)], CompressionError),
        ["Priority on stream 0"] = ([WireFrame.Priority(0, 1)], ProtocolError),
        ["Priority of four octets on an idle stream"] = ([new(WireFrameType.Priority, 0, 7, new byte[4])], FrameSizeError),
        ["RstStream on stream 0"] = ([WireFrame.RstStream(0, Cancel)], ProtocolError),
        ["RstStream on a server's stream"] = ([WireFrame.RstStream(2, Cancel)], ProtocolError),
        ["RstStream of three octets"] = ([new(WireFrameType.RstStream, 0, 1, new byte[3])], FrameSizeError),
        ["Settings on a stream"] = ([new(WireFrameType.Settings, 0, 1, [])], ProtocolError),
        ["Settings acknowledgement with a payload"] = ([new(WireFrameType.Settings, 1, 0, new byte[6])], FrameSizeError),
        ["Settings of five octets"] = ([new(WireFrameType.Settings, 0, 0, new byte[5])], FrameSizeError),
        ["Settings with ENABLE_PUSH 2"] = ([WireFrame.Settings((2, 2))], ProtocolError),
        ["Settings with INITIAL_WINDOW_SIZE 2^31"] = ([WireFrame.Settings((4, 0x8000_0000))], FlowControlError),
        ["Settings with MAX_FRAME_SIZE 16383"] = ([WireFrame.Settings((5, 16_383))], ProtocolError),
        ["Settings with MAX_FRAME_SIZE 2^24"] = ([WireFrame.Settings((5, 1 << 24))], ProtocolError),
        ["Settings that overflow a stream's window"] =
            ([WireFrame.WindowUpdate(1, 1), WireFrame.Settings((4, int.MaxValue))], FlowControlError),
        ["PushPromise"] = ([new(WireFrameType.PushPromise, 4, 1, [0, 0, 0, 2, .. Block])], ProtocolError),
        ["Ping on a stream"] = ([new(WireFrameType.Ping, 0, 1, new byte[8])], ProtocolError),
        ["Ping of seven octets"] = ([new(WireFrameType.Ping, 0, 0, new byte[7])], FrameSizeError),
        ["GoAway on a stream"] = ([new(WireFrameType.GoAway, 0, 1, new byte[8])], ProtocolError),
        ["GoAway of seven octets"] = ([new(WireFrameType.GoAway, 0, 0, new byte[7])], FrameSizeError),
        ["WindowUpdate of three octets"] = ([new(WireFrameType.WindowUpdate, 0, 0, new byte[3])], FrameSizeError),
        ["WindowUpdate of 0 on the connection"] = ([WireFrame.WindowUpdate(0, 0)], ProtocolError),
        ["WindowUpdate on an idle stream"] = ([WireFrame.WindowUpdate(7, 1)], ProtocolError),
        ["WindowUpdate that overflows the connection's window"] = ([WireFrame.WindowUpdate(0, int.MaxValue)], FlowControlError),
        ["Continuation without Headers"] = ([WireFrame.Continuation(1, Block, true)], ProtocolError),
        ["Continuation on stream 0"] = ([WireFrame.Headers(7, [], true, endHeaders: false), WireFrame.Continuation(0, Block, true)], ProtocolError),
        ["Continuation on another stream"] =
            ([WireFrame.Headers(7, Block, true, endHeaders: false), WireFrame.Continuation(9, [], true)], ProtocolError),
        ["Continuation after END_HEADERS"] = ([WireFrame.Headers(7, Block, true), WireFrame.Continuation(7, [], true)], ProtocolError),
        ["Data within a header block"] = ([WireFrame.Headers(7, Block, true, endHeaders: false), WireFrame.Data(1, [1])], ProtocolError),
        ["Headers within a header block"] =
            ([WireFrame.Headers(7, Block, true, endHeaders: false), WireFrame.Headers(9, Block, true)], ProtocolError),
        ["Priority within a header block"] =
            ([WireFrame.Headers(7, Block, true, endHeaders: false), WireFrame.Priority(1, 0)], ProtocolError),
        ["Unknown frame within a header block"] =
            ([WireFrame.Headers(7, Block, true, endHeaders: false), new((WireFrameType)0x16, 0, 0, [1])], ProtocolError),
        ["Frame larger than SETTINGS_MAX_FRAME_SIZE"] = ([new(WireFrameType.Data, 0, 1, new byte[16_385])], FrameSizeError),
        ["Unknown frame larger than SETTINGS_MAX_FRAME_SIZE"] = ([new((WireFrameType)0xaa, 0, 1, new byte[16_385])], FrameSizeError),
    };

    public static TheoryData<string> CaseNames => [.. Cases.Keys];

    [Theory, MemberData(nameof(CaseNames))]
    public async Task Connection_error_ends_the_connection_with_its_code(string name)
    {
        (WireFrame[] frames, Http2ErrorCode code) = Cases[name];
        await using var server = await ServerUnderTest.StartAsync(new Http2Options { MaxFrameBytes = 16_384 });
        TestStream open = await server.OpenAsync(1);
        TestStream closed = await server.OpenAsync(3, endStream: true);
        closed.Answer();
        Assert.True((await server.Peer.ReadHeadersAsync()).IsEndStream);
        TestStream halfClosed = await server.OpenAsync(5, endStream: true);

        await server.Peer.SendAsync(frames);

        int last = Math.Max(5, frames.Where(f => f.Type == WireFrameType.Headers && f.IsEndHeaders && code == ProtocolError
            && f.StreamId % 2 == 1 && f.StreamId != 9 && (f.Flags & 8) == 0).Select(f => f.StreamId).DefaultIfEmpty().Max());
        await server.ExpectConnectionErrorAsync(code, last);
        Assert.Equal((Http2AbortOrigin.ConnectionLost, code), await OriginAsync(open));
        Assert.Equal((Http2AbortOrigin.ConnectionLost, code), await OriginAsync(halfClosed));
        Assert.Equal(0, closed.Aborts);
    }

    [Theory]
    [InlineData("GET / HTTP/1.1\r\nHost: a\r\n\r\n")]
    [InlineData("PRI * HTTP/2.0\r\n\r\nSM\r\n\rX")]
    public async Task Octets_other_than_the_preface_end_the_connection(string octets)
    {
        await using var server = new ServerUnderTest();
        _ = server.Run();
        await server.Peer.SendAsync(System.Text.Encoding.ASCII.GetBytes(octets));
        await server.ExpectConnectionErrorAsync(ProtocolError, reason: "preface");
    }

    [Fact]
    public async Task RstStream_on_an_idle_stream_before_any_stream_was_opened_ends_the_connection()
    {
        await using var server = await ServerUnderTest.StartAsync();
        await server.Peer.SendAsync(WireFrame.RstStream(1, Cancel));
        await server.ExpectConnectionErrorAsync(ProtocolError, reason: "never opened");
    }

    [Fact]
    public async Task First_frame_other_than_Settings_ends_the_connection()
    {
        foreach (WireFrame frame in new[] { WireFrame.Ping(1), WireFrame.SettingsAck(), WireFrame.Headers(1, Block, true) })
        {
            await using var server = new ServerUnderTest();
            _ = server.Run();
            await server.Peer.SendAsync([.. "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8, .. frame.ToBytes()]);
            await server.ExpectConnectionErrorAsync(ProtocolError, reason: "SETTINGS");
            Assert.False(await server.Connection.Ready.Within("Ready"));
        }
    }

    [Fact]
    public async Task Preface_and_first_frames_may_come_octet_by_octet()
    {
        await using var server = new ServerUnderTest();
        _ = server.Run();
        byte[] octets = [.. "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8, .. WireFrame.Settings((4, 100)).ToBytes(), .. WireFrame.Headers(1, Block, true).ToBytes()];
        foreach (byte octet in octets)
            await server.Peer.SendAsync([octet]);
        Assert.Equal(1, (await server.RequestAsync()).Stream.Id);
        Assert.True(await server.Connection.Ready.Within("Ready"));
    }

    static async Task<(Http2AbortOrigin, Http2ErrorCode)> OriginAsync(TestStream stream)
    {
        Http2StreamAbort abort = await stream.AbortAsync();
        return (abort.Origin, abort.ErrorCode);
    }
}
