namespace Weir.Http2;

/// <summary>The checks of a frame's header that several types share. Each throws a connection error.</summary>
internal static class FrameRules
{
    public static void CheckOnStream(in FrameHeader header)
    {
        if (header.StreamId == 0)
        {
            throw new Http2ConnectionException(Http2ErrorCode.ProtocolError, $"{header.Type} came on stream 0.");
        }
    }

    public static void CheckOnConnection(in FrameHeader header)
    {
        if (header.StreamId != 0)
        {
            throw new Http2ConnectionException(Http2ErrorCode.ProtocolError, $"{header.Type} came on stream {header.StreamId}; it belongs on stream 0.");
        }
    }

    public static void CheckLength(in FrameHeader header, int expected)
    {
        if (header.Length != expected)
        {
            throw new Http2ConnectionException(
                Http2ErrorCode.FrameSizeError, $"{header.Type} came with {header.Length} octets; it has {expected}.");
        }
    }

    /// <summary>What may come now: SETTINGS first (§3.4), and within a header block nothing but its CONTINUATION (§6.10).</summary>
    public static void CheckOrder(in FrameHeader header, bool settingsSeen, int openHeaderBlock)
    {
        if (!settingsSeen && header.Type != FrameType.Settings)
        {
            throw new Http2ConnectionException(Http2ErrorCode.ProtocolError, $"The first frame is {header.Type}; it must be SETTINGS (RFC 9113 §3.4).");
        }

        if (openHeaderBlock == 0 && header.Type == FrameType.Continuation)
        {
            throw new Http2ConnectionException(
                Http2ErrorCode.ProtocolError, $"CONTINUATION on stream {header.StreamId} came without a header block (RFC 9113 §6.10).");
        }

        if (openHeaderBlock != 0 && (header.Type != FrameType.Continuation || header.StreamId != openHeaderBlock))
        {
            throw new Http2ConnectionException(
                Http2ErrorCode.ProtocolError,
                $"{header.Type} on stream {header.StreamId} came within the header block of stream {openHeaderBlock} (RFC 9113 §6.10).");
        }
    }
}
