namespace Weir.Http2;

/// <summary>Who ended a stream before its normal end.</summary>
public enum Http2AbortOrigin
{
    /// <summary>This side reset the stream or closed the connection.</summary>
    Local,

    /// <summary>The peer sent RST_STREAM.</summary>
    PeerReset,

    /// <summary>The peer sent GOAWAY with a last stream id below this stream's.</summary>
    PeerGoAway,

    /// <summary>The transport ended or failed, or the connection met a protocol error.</summary>
    ConnectionLost,
}

/// <summary>Why a stream ended before its normal end.</summary>
/// <param name="Origin">Who ended it.</param>
/// <param name="ErrorCode">The code on the wire, sent or received.</param>
/// <param name="Message">One sentence for people: what happened.</param>
/// <param name="IsUnprocessed">Whether the peer is known not to have seen the stream, so that sending it again is safe (RFC 9113 §8.7).</param>
public sealed record Http2StreamAbort(Http2AbortOrigin Origin, Http2ErrorCode ErrorCode, string Message, bool IsUnprocessed = false);
