using System.Buffers.Binary;

namespace Weir.Http2;

/// <summary>The nine octets before every frame's payload (RFC 9113 §4.1).</summary>
internal readonly record struct FrameHeader(int Length, FrameType Type, FrameFlags Flags, int StreamId)
{
    public bool Has(FrameFlags flag) => (Flags & flag) != 0;

    /// <summary>Reads a header from the first nine octets. The reserved bit is ignored, as §4.1 asks.</summary>
    public static FrameHeader Read(ReadOnlySpan<byte> source)
    {
        var lengthAndType = BinaryPrimitives.ReadUInt32BigEndian(source);
        var streamId = (int)(BinaryPrimitives.ReadUInt32BigEndian(source[5..]) & 0x7fff_ffff);
        return new FrameHeader((int)(lengthAndType >> 8), (FrameType)(byte)lengthAndType, (FrameFlags)source[4], streamId);
    }

    /// <summary>Fills the first nine octets.</summary>
    public static void Write(Span<byte> destination, int length, FrameType type, FrameFlags flags, int streamId)
    {
        BinaryPrimitives.WriteUInt32BigEndian(destination, ((uint)length << 8) | (byte)type);
        destination[4] = (byte)flags;
        BinaryPrimitives.WriteInt32BigEndian(destination[5..], streamId);
    }
}
