namespace Weir.Http2;

/// <summary>What a stream tells its owner. Every call comes from the connection's read loop, or from the thread that resets the stream
/// or closes the connection; it must be quick and must not block or throw.</summary>
public interface IHttp2StreamListener
{
    /// <summary>A whole header block arrived: response headers, or trailers when <paramref name="endStream"/> is set and headers came before.</summary>
    /// <param name="headers">The fields in wire order, valid only during the call (the strings may be kept).</param>
    /// <param name="endStream">Whether the block carries END_STREAM.</param>
    void OnHeaders(ReadOnlySpan<HeaderField> headers, bool endStream);

    /// <summary>The wait that <see cref="Http2Stream.WaitForData"/> armed is over: enough octets are there, or the input has ended. Called once per arming.</summary>
    void OnReadable();

    /// <summary>The stream ended before its normal end. Called at most once, and never after both sides have ended normally.
    /// With it a pending wait for data is over,
    /// and no <see cref="OnReadable"/> follows, unless the input had come to its normal end before: then what it brought may still be read.</summary>
    void OnAborted(Http2StreamAbort abort);
}

/// <summary>What a server connection tells its owner.</summary>
public interface IHttp2ServerHandler
{
    /// <summary>A request arrived on a new stream. Called from the read loop; must be quick, must not block or throw.</summary>
    /// <param name="stream">The new stream; its own headers are already received.</param>
    /// <param name="headers">The request's fields in wire order, valid only during the call (the strings may be kept).</param>
    /// <param name="endStream">Whether the request has no body.</param>
    /// <returns>Who is told about the stream from now on.</returns>
    IHttp2StreamListener OnRequest(Http2Stream stream, ReadOnlySpan<HeaderField> headers, bool endStream);
}
