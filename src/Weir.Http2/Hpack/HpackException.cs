namespace Weir.Http2.Hpack;

/// <summary>
/// A header block breaks RFC 7541. The shared compression state is lost, so it ends the connection with COMPRESSION_ERROR (RFC 9113 §4.3).
/// </summary>
internal sealed class HpackException(string message) : Exception(message);
