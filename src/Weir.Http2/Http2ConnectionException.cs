namespace Weir.Http2;

/// <summary>The peer broke the protocol in a way that ends the connection (RFC 9113 §5.4.1).</summary>
internal sealed class Http2ConnectionException(Http2ErrorCode errorCode, string message) : Exception(message)
{
    public Http2ErrorCode ErrorCode { get; } = errorCode;
}
