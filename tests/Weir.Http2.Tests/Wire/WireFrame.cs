using System.Buffers.Binary;

namespace Weir.Http2.Tests.Wire;

/// <summary>
/// Any HTTP/2 frame, valid or not, as a test sends and sees it. This codec shares no code with the engine, so that both cannot agree on
/// the same bug.
/// </summary>
internal sealed record WireFrame(WireFrameType Type, byte Flags, int StreamId, byte[] Payload)
{
    public const int HeaderLength = 9;

    public const byte EndStreamFlag = 0x1;
    public const byte AckFlag = 0x1;
    public const byte EndHeadersFlag = 0x4;
    public const byte PaddedFlag = 0x8;
    public const byte PriorityFlag = 0x20;

    public bool IsEndStream => Type is WireFrameType.Data or WireFrameType.Headers && (Flags & EndStreamFlag) != 0;

    public bool IsEndHeaders => Type is WireFrameType.Headers or WireFrameType.Continuation && (Flags & EndHeadersFlag) != 0;

    public bool IsAck => Type is WireFrameType.Settings or WireFrameType.Ping && (Flags & AckFlag) != 0;

    /// <summary>The error code of RST_STREAM or GOAWAY.</summary>
    public Http2ErrorCode ErrorCode =>
        (Http2ErrorCode)Require(WireFrameType.RstStream, WireFrameType.GoAway).UInt32At(Type == WireFrameType.GoAway ? 4 : 0);

    /// <summary>The last stream id of GOAWAY.</summary>
    public int LastStreamId => (int)Require(WireFrameType.GoAway).UInt32At(0);

    /// <summary>The increment of WINDOW_UPDATE, in octets.</summary>
    public int Increment => (int)Require(WireFrameType.WindowUpdate).UInt32At(0);

    /// <summary>The parameters of SETTINGS, in order.</summary>
    public IEnumerable<(ushort Id, uint Value)> Parameters
    {
        get
        {
            Require(WireFrameType.Settings);
            for (int i = 0; i < Payload.Length; i += 6)
                yield return (BinaryPrimitives.ReadUInt16BigEndian(Payload.AsSpan(i)), UInt32At(i + 2));
        }
    }

    /// <summary>The data of DATA or the fragment of HEADERS or CONTINUATION, without padding and priority.</summary>
    public ReadOnlyMemory<byte> Content
    {
        get
        {
            Require(WireFrameType.Data, WireFrameType.Headers, WireFrameType.Continuation);
            bool isPadded = Type != WireFrameType.Continuation && (Flags & PaddedFlag) != 0;
            bool hasPriority = Type == WireFrameType.Headers && (Flags & PriorityFlag) != 0;
            int start = (isPadded ? 1 : 0) + (hasPriority ? 5 : 0);
            int end = Payload.Length - (isPadded ? Payload[0] : 0);
            return Payload.AsMemory(start..end);
        }
    }

    public static WireFrame Settings(params (ushort Id, uint Value)[] parameters)
    {
        var payload = new byte[6 * parameters.Length];
        for (int i = 0; i < parameters.Length; i++)
        {
            BinaryPrimitives.WriteUInt16BigEndian(payload.AsSpan(6 * i), parameters[i].Id);
            BinaryPrimitives.WriteUInt32BigEndian(payload.AsSpan(6 * i + 2), parameters[i].Value);
        }

        return new(WireFrameType.Settings, 0, 0, payload);
    }

    public static WireFrame SettingsAck() => new(WireFrameType.Settings, AckFlag, 0, []);

    /// <summary>HEADERS with the whole block of <paramref name="fields"/> as plain literals.</summary>
    public static WireFrame Headers(int streamId, bool endStream, params (string Name, string Value)[] fields) =>
        Headers(streamId, WireHeaders.Encode(fields), endStream);

    /// <summary>HEADERS with any block or piece of one; <paramref name="padding"/> counts the octets after the block.</summary>
    public static WireFrame Headers(
        int streamId, byte[] block, bool endStream, bool endHeaders = true, byte? padding = null, byte[]? priority = null)
    {
        int flags = (endStream ? EndStreamFlag : 0) | (endHeaders ? EndHeadersFlag : 0) | (priority is null ? 0 : PriorityFlag);
        return Padded(WireFrameType.Headers, flags, streamId, [.. priority ?? [], .. block], padding);
    }

    public static WireFrame Continuation(int streamId, byte[] block, bool endHeaders) =>
        new(WireFrameType.Continuation, endHeaders ? EndHeadersFlag : (byte)0, streamId, block);

    /// <summary>DATA; <paramref name="padding"/> counts the octets after the data.</summary>
    public static WireFrame Data(int streamId, byte[] data, bool endStream = false, byte? padding = null) =>
        Padded(WireFrameType.Data, endStream ? EndStreamFlag : 0, streamId, data, padding);

    public static WireFrame Ping(ulong opaque, bool ack = false)
    {
        var payload = new byte[8];
        BinaryPrimitives.WriteUInt64BigEndian(payload, opaque);
        return new(WireFrameType.Ping, ack ? AckFlag : (byte)0, 0, payload);
    }

    public static WireFrame GoAway(int lastStreamId, Http2ErrorCode error, params byte[] debugData) =>
        new(WireFrameType.GoAway, 0, 0, [.. UInt32((uint)lastStreamId), .. UInt32((uint)error), .. debugData]);

    public static WireFrame RstStream(int streamId, Http2ErrorCode error) => new(WireFrameType.RstStream, 0, streamId, UInt32((uint)error));

    public static WireFrame WindowUpdate(int streamId, uint increment) => new(WireFrameType.WindowUpdate, 0, streamId, UInt32(increment));

    public static WireFrame Priority(int streamId, int dependsOn, byte weight = 15, bool exclusive = false) =>
        new(WireFrameType.Priority, 0, streamId, PriorityFields(dependsOn, weight, exclusive));

    /// <summary>The five octets of PRIORITY, also for HEADERS with the PRIORITY flag.</summary>
    public static byte[] PriorityFields(int dependsOn, byte weight = 15, bool exclusive = false) =>
        [.. UInt32((uint)dependsOn | (exclusive ? 0x8000_0000 : 0)), weight];

    /// <summary>
    /// Splits a block into HEADERS and as many CONTINUATION frames as pieces of <paramref name="pieceLength"/> octets need.
    /// </summary>
    public static WireFrame[] HeadersInPieces(int streamId, byte[] block, bool endStream, int pieceLength)
    {
        byte[][] pieces = block.Chunk(pieceLength).ToArray();
        return pieces.Select((piece, i) => i == 0
            ? Headers(streamId, piece, endStream, endHeaders: pieces.Length == 1)
            : Continuation(streamId, piece, endHeaders: i == pieces.Length - 1)).ToArray();
    }

    /// <summary>The frame as on the wire.</summary>
    public byte[] ToBytes() =>
        [.. UInt32((uint)Payload.Length)[1..], (byte)Type, Flags, .. UInt32((uint)StreamId), .. Payload];

    public override string ToString()
    {
        const int Shown = 32;
        string payload = Convert.ToHexStringLower(Payload.AsSpan(0, Math.Min(Shown, Payload.Length)));
        string more = Payload.Length > Shown ? "..." : "";
        return $"{Type} stream={StreamId} flags=0x{Flags:x2} length={Payload.Length} payload={payload}{more}";
    }

    static WireFrame Padded(WireFrameType type, int flags, int streamId, byte[] content, byte? padding) =>
        padding is { } octets
            ? new(type, (byte)(flags | PaddedFlag), streamId, [octets, .. content, .. new byte[octets]])
            : new(type, (byte)flags, streamId, content);

    static byte[] UInt32(uint value)
    {
        var octets = new byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(octets, value);
        return octets;
    }

    uint UInt32At(int offset) => BinaryPrimitives.ReadUInt32BigEndian(Payload.AsSpan(offset));

    WireFrame Require(params WireFrameType[] types)
    {
        Assert.True(types.Contains(Type), $"expected {string.Join(" or ", types)}, but the frame is {this}");
        return this;
    }
}
