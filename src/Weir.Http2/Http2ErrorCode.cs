namespace Weir.Http2;

/// <summary>The error codes of RST_STREAM and GOAWAY (RFC 9113 §7).</summary>
#pragma warning disable CA1028 // the wire type is an unsigned 32-bit number
public enum Http2ErrorCode : uint
#pragma warning restore CA1028
{
    /// <summary>NO_ERROR: the end is not an error.</summary>
    NoError = 0x0,

    /// <summary>PROTOCOL_ERROR: the peer broke the protocol and no closer code fits.</summary>
    ProtocolError = 0x1,

    /// <summary>INTERNAL_ERROR: the sender met an unexpected fault.</summary>
    InternalError = 0x2,

    /// <summary>FLOW_CONTROL_ERROR: the peer sent more than a window allowed.</summary>
    FlowControlError = 0x3,

    /// <summary>SETTINGS_TIMEOUT: a SETTINGS frame was not acknowledged in time.</summary>
    SettingsTimeout = 0x4,

    /// <summary>STREAM_CLOSED: a frame came for a stream whose sending half was already closed.</summary>
    StreamClosed = 0x5,

    /// <summary>FRAME_SIZE_ERROR: a frame's length is not valid for its type.</summary>
    FrameSizeError = 0x6,

    /// <summary>REFUSED_STREAM: the stream was refused before any processing; a retry is safe.</summary>
    RefusedStream = 0x7,

    /// <summary>CANCEL: the stream is no longer wanted.</summary>
    Cancel = 0x8,

    /// <summary>COMPRESSION_ERROR: the header compression state is lost.</summary>
    CompressionError = 0x9,

    /// <summary>CONNECT_ERROR: the connection of a CONNECT request was reset.</summary>
    ConnectError = 0xa,

    /// <summary>ENHANCE_YOUR_CALM: the peer generates excessive load.</summary>
    EnhanceYourCalm = 0xb,

    /// <summary>INADEQUATE_SECURITY: the transport does not meet the minimum security.</summary>
    InadequateSecurity = 0xc,

    /// <summary>HTTP_1_1_REQUIRED: the endpoint wants HTTP/1.1 for this request.</summary>
    Http11Required = 0xd,
}
