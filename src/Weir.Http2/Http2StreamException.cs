namespace Weir.Http2;

/// <summary>A send met a stream that has ended early.</summary>
public sealed class Http2StreamException : IOException
{
    /// <summary>Creates the exception for <paramref name="abort"/>.</summary>
    public Http2StreamException(Http2StreamAbort abort)
        : base(abort.Message) => Abort = abort;

    /// <summary>Why the stream ended.</summary>
    public Http2StreamAbort Abort { get; }
}
