using Weir.Http2;
using Weir.Rpc.Compression;
using Weir.Rpc.Protocol;

namespace Weir.Rpc.Serving;

/// <summary>A request's header block, taken apart.</summary>
internal readonly struct RequestHead
{
    private RequestHead(string path, string? httpRefusal, Status? refusal, TimeSpan? timeout, MessageCompression? compression, string? acceptEncoding, Metadata? metadata)
    {
        Compression = compression;
        AcceptEncoding = acceptEncoding;
        Path = path;
        HttpRefusal = httpRefusal;
        Refusal = refusal;
        Timeout = timeout;
        Metadata = metadata;
    }

    /// <summary>The path of the method.</summary>
    public string Path { get; }

    /// <summary>The HTTP status to refuse the request with when it is not gRPC at all, or null.</summary>
    public string? HttpRefusal { get; }

    /// <summary>The status to refuse the call with, or null.</summary>
    public Status? Refusal { get; }

    /// <summary>The client's grpc-timeout.</summary>
    public TimeSpan? Timeout { get; }

    /// <summary>How the request's compressed messages are compressed; null: none may come.</summary>
    public MessageCompression? Compression { get; }

    /// <summary>The client's grpc-accept-encoding.</summary>
    public string? AcceptEncoding { get; }

    /// <summary>What belongs to the application; null when nothing does.</summary>
    public Metadata? Metadata { get; }

    /// <summary>Takes the fields apart.</summary>
    public static RequestHead Parse(ReadOnlySpan<HeaderField> headers, CompressionSet compressions)
    {
        string path = "", method = "", contentType = "";
        string? timeoutText = null, encoding = null, acceptEncoding = null, badKey = null;
        Metadata? metadata = null;
        foreach (ref readonly var field in headers)
        {
            switch (field.Name)
            {
                case GrpcNames.Path: path = field.Value; break;
                case GrpcNames.Method: method = field.Value; break;
                case GrpcNames.ContentType: contentType = field.Value; break;
                case GrpcNames.Timeout: timeoutText = field.Value; break;
                case GrpcNames.Encoding: encoding = field.Value; break;
                case GrpcNames.AcceptEncoding: acceptEncoding = acceptEncoding is null ? field.Value : $"{acceptEncoding},{field.Value}"; break;
                default:
                    if (!GrpcNames.IsProtocolField(field.Name) && !MetadataCodec.TryRead(field, ref metadata))
                    {
                        badKey = field.Name;
                    }

                    break;
            }
        }

        var httpRefusal = method != "POST" ? "405" : GrpcNames.IsGrpcContent(contentType) ? null : "415";
        TimeSpan? timeout = null;
        Status? refusal = null;
        if (!compressions.TryFind(encoding, out var compression))
        {
            refusal = new Status(StatusCode.Unimplemented, $"the request is compressed with \"{encoding}\"; \"{compressions.AcceptEncoding}\" are accepted");
        }
        else if (badKey is not null)
        {
            refusal = new Status(StatusCode.Internal, $"the request's \"{badKey}\" is not base64");
        }
        else if (timeoutText is not null && GrpcTimeout.TryDecode(timeoutText, out var decoded))
        {
            timeout = decoded;
            if (decoded == TimeSpan.Zero)
            {
                // A handler that is quicker than the timer must not win against a deadline that was over before it began.
                refusal = new Status(StatusCode.DeadlineExceeded, "the deadline had passed when the request came");
            }
        }
        else if (timeoutText is not null)
        {
            refusal = new Status(StatusCode.Internal, $"the request's grpc-timeout \"{timeoutText}\" is not one to eight digits and a unit of H, M, S, m, u or n");
        }

        return new RequestHead(path, httpRefusal, refusal, timeout, compression, acceptEncoding, metadata);
    }
}
