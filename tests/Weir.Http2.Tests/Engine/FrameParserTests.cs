using Weir.Http2.Tests.Wire;

namespace Weir.Http2.Tests.Engine;

/// <summary>Frames are cut out of the octets in the same way however these come.</summary>
public sealed class FrameParserTests
{
    static readonly WireFrame[] Frames =
    [
        WireFrame.Settings((4, 1000)),
        WireFrame.SettingsAck(),
        WireFrame.Headers(1, false, ("a", "b")),
        WireFrame.Headers(1, [1, 2], true, endHeaders: false, padding: 3, priority: WireFrame.PriorityFields(0)),
        WireFrame.Continuation(1, [9], true),
        WireFrame.Data(1, "hello"u8.ToArray()),
        WireFrame.Data(1, []),
        WireFrame.Data(1, "padded"u8.ToArray(), endStream: true, padding: 4),
        WireFrame.Data(3, "padded by none"u8.ToArray(), padding: 0),
        WireFrame.Data(3, [], padding: 2),
        WireFrame.Priority(3, 1),
        WireFrame.RstStream(3, Http2ErrorCode.Cancel),
        new(WireFrameType.PushPromise, 4, 1, [0, 0, 0, 2, 1]),
        WireFrame.Ping(77),
        WireFrame.GoAway(3, Http2ErrorCode.NoError, 1, 2, 3),
        WireFrame.WindowUpdate(int.MaxValue, 1),
        new((WireFrameType)0xee, 0xff, 5, [1]),
        new((WireFrameType)0xee, 0xff, 5, []),
    ];

    static readonly byte[] Octets = [.. Frames.SelectMany(frame => frame.ToBytes())];

    static IEnumerable<string> Expected => Frames.Select(Log.Describe);

    [Fact]
    public void All_at_once() => Assert.Equal(Expected, Parse([Octets]));

    [Fact]
    public void Octet_by_octet() => Assert.Equal(Expected, Parse(Octets.Select(octet => new[] { octet })));

    [Fact]
    public void Split_at_every_boundary()
    {
        for (int at = 0; at <= Octets.Length; at++)
            Assert.Equal(Expected, Parse([Octets[..at], Octets[at..]]));
    }

    [Fact]
    public void In_pieces_of_every_size()
    {
        for (int size = 1; size <= 64; size++)
            Assert.Equal(Expected, Parse(Octets.Chunk(size)));
    }

    [Fact]
    public void Cut_off_at_every_length_tells_the_whole_frames_only()
    {
        for (int length = 0; length < Octets.Length; length++)
        {
            int whole = 0;
            for (int end = 0; whole < Frames.Length && (end += WireFrame.HeaderLength + Frames[whole].Payload.Length) <= length;)
                whole++;
            Assert.Equal(Expected.Take(whole), Parse([Octets[..length]]));
        }
    }

    [Fact]
    public void Memory_that_was_parsed_may_be_overwritten()
    {
        var log = new Log();
        var parser = new FrameParser(log, 16_384);
        foreach (byte[] piece in Octets.Chunk(7))
        {
            parser.Feed(piece);
            Array.Fill(piece, (byte)0xa5);
        }

        Assert.Equal(Expected, log.Frames);
    }

    [Fact]
    public void Reserved_bit_of_the_stream_id_is_ignored()
    {
        byte[] octets = WireFrame.Ping(1).ToBytes();
        octets[5] |= 0x80;
        Assert.Equal([Log.Describe(WireFrame.Ping(1))], Parse([octets]));
    }

    [Theory]
    [InlineData(0x0)]
    [InlineData(0x4)]
    [InlineData(0xee)]
    public void Frame_of_the_largest_size_passes_and_one_octet_more_is_a_FrameSizeError(int type)
    {
        var frame = new WireFrame((WireFrameType)type, 0, 1, new byte[20_000]);
        Assert.Equal([Log.Describe(frame)], Parse(frame.ToBytes().Chunk(999), maxFrameBytes: 20_000));
        var error = Assert.Throws<Http2ConnectionException>(() => Parse([frame.ToBytes()[..9]], maxFrameBytes: 19_999));
        Assert.Equal(Http2ErrorCode.FrameSizeError, error.ErrorCode);
        Assert.Contains("20000", error.Message, StringComparison.Ordinal);
        Assert.Contains("19999", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0, 0)] // no octet for the pad length
    [InlineData(1, 1)]
    [InlineData(5, 5)]
    [InlineData(5, 255)]
    public void Data_with_as_much_padding_as_payload_is_a_ProtocolError(int length, byte padding)
    {
        var payload = new byte[length];
        if (length > 0)
            payload[0] = padding;
        byte[] octets = new WireFrame(WireFrameType.Data, WireFrame.PaddedFlag, 1, payload).ToBytes();
        foreach (int size in new[] { 1, octets.Length })
            Assert.Equal(Http2ErrorCode.ProtocolError, Assert.Throws<Http2ConnectionException>(() => Parse(octets.Chunk(size))).ErrorCode);
    }

    static List<string> Parse(IEnumerable<byte[]> pieces, int maxFrameBytes = 16_384)
    {
        var log = new Log();
        var parser = new FrameParser(log, maxFrameBytes);
        foreach (byte[] piece in pieces)
            parser.Feed(piece);
        parser.Release();
        return log.Frames;
    }

    /// <summary>Writes down each frame when it is complete.</summary>
    sealed class Log : IFrameSink
    {
        readonly List<byte> _data = [];
        FrameHeader _header;

        public List<string> Frames { get; } = [];

        public static string Describe(WireFrame frame) => Describe(
            new FrameHeader(frame.Payload.Length, (FrameType)frame.Type, (FrameFlags)frame.Flags, frame.StreamId),
            frame.Type == WireFrameType.Data ? frame.Content.Span : frame.Payload);

        public void OnDataStart(in FrameHeader header) => _header = header;

        public void OnData(ReadOnlySpan<byte> data)
        {
            Assert.False(data.IsEmpty);
            _data.AddRange(data);
        }

        public void OnDataEnd()
        {
            Frames.Add(Describe(_header, [.. _data]));
            _data.Clear();
        }

        public void OnFrame(in FrameHeader header, ReadOnlySpan<byte> payload) => Frames.Add(Describe(header, payload));

        static string Describe(in FrameHeader header, ReadOnlySpan<byte> payload) =>
            $"{(int)header.Type} {(int)header.Flags} {header.StreamId} {header.Length} {Convert.ToHexString(payload)}";
    }
}
