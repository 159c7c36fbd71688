using Weir.Http2;
using Weir.Rpc.Protocol;

namespace Weir.Rpc.Serving;

/// <summary>Answers requests that no handler sees. Nothing more of them matters: this listens without listening, and has no state.</summary>
internal sealed class RefusedStream : IHttp2StreamListener
{
    private static readonly RefusedStream Instance = new();

    /// <summary>Refuses a request that is not gRPC with an HTTP status.</summary>
    public static IHttp2StreamListener RefuseHttp(Http2Stream stream, string httpStatus)
    {
        HeaderList headers = default;
        headers.Add(GrpcNames.HttpStatus, httpStatus);
        if (httpStatus == "405")
        {
            headers.Add("allow", "POST"); // RFC 9110 §15.5.6
        }

        return Answer(stream, headers.AsSpan());
    }

    /// <summary>Refuses a call with a gRPC status ("Trailers-Only").</summary>
    public static IHttp2StreamListener Refuse(Http2Stream stream, Status status, string acceptEncoding)
    {
        HeaderList headers = default;
        ResponseHead.WriteTrailers(ref headers, status, null, null, trailersOnly: true);
        if (status.Code == StatusCode.Unimplemented)
        {
            headers.Add(GrpcNames.AcceptEncoding, acceptEncoding);
        }

        return Answer(stream, headers.AsSpan());
    }

    /// <inheritdoc/>
    public void OnHeaders(ReadOnlySpan<HeaderField> headers, bool endStream)
    {
    }

    /// <inheritdoc/>
    public void OnReadable()
    {
    }

    /// <inheritdoc/>
    public void OnAborted(Http2StreamAbort abort)
    {
    }

    private static RefusedStream Answer(Http2Stream stream, ReadOnlySpan<HeaderField> headers)
    {
        stream.SendHeaders(headers, endStream: true);
        if (stream.IsInputCompleted)
        {
            stream.CloseInput();
        }
        else
        {
            stream.Reset(Http2ErrorCode.NoError, "the request was answered"); // RFC 9113 §8.1: the rest of it is not wanted
        }

        return Instance;
    }
}
