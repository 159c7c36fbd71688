using System.Globalization;
using Weir.Http2;
using Weir.Rpc.Compression;
using Weir.Rpc.Protocol;

namespace Weir.Rpc.Channels;

/// <summary>One header block of a response, taken apart.</summary>
internal readonly struct ResponseBlock
{
    private ResponseBlock(int httpStatus, string? contentType, string? encoding, string? grpcStatus, string? grpcMessage, Metadata? metadata, string? badKey)
    {
        HttpStatus = httpStatus;
        ContentType = contentType;
        Encoding = encoding;
        GrpcStatus = grpcStatus;
        GrpcMessage = grpcMessage;
        Metadata = metadata;
        BadKey = badKey;
    }

    /// <summary>The :status; 0 when there is none (trailers).</summary>
    public int HttpStatus { get; }

    /// <summary>What belongs to the application; null when nothing does.</summary>
    public Metadata? Metadata { get; }

    private string? ContentType { get; }

    private string? Encoding { get; }

    private string? GrpcStatus { get; }

    private string? GrpcMessage { get; }

    private string? BadKey { get; }

    /// <summary>Takes the fields apart.</summary>
    public static ResponseBlock Parse(ReadOnlySpan<HeaderField> headers)
    {
        var httpStatus = 0;
        string? contentType = null, encoding = null, grpcStatus = null, grpcMessage = null, badKey = null;
        Metadata? metadata = null;
        foreach (ref readonly var field in headers)
        {
            switch (field.Name)
            {
                case GrpcNames.HttpStatus: _ = int.TryParse(field.Value, NumberStyles.None, CultureInfo.InvariantCulture, out httpStatus); break;
                case GrpcNames.ContentType: contentType = field.Value; break;
                case GrpcNames.Encoding: encoding = field.Value; break;
                case GrpcNames.Status: grpcStatus = field.Value; break;
                case GrpcNames.Message: grpcMessage = field.Value; break;
                default:
                    if (!GrpcNames.IsProtocolField(field.Name) && !MetadataCodec.TryRead(field, ref metadata))
                    {
                        badKey = field.Name;
                    }

                    break;
            }
        }

        return new ResponseBlock(httpStatus, contentType, encoding, grpcStatus, grpcMessage, metadata, badKey);
    }

    /// <summary>Why response headers that are not the last block do not begin a gRPC response, or null when they do.
    /// <paramref name="compression"/>: how its compressed messages are compressed; null: none may come.</summary>
    public Status? CheckHeaders(CompressionSet compressions, out MessageCompression? compression)
    {
        compression = null;
        if (HttpStatus != 200)
        {
            return FromHttpStatus();
        }

        if (!GrpcNames.IsGrpcContent(ContentType))
        {
            return new Status(StatusCode.Unknown, $"the response's content-type is \"{ContentType}\"; \"{GrpcNames.GrpcContent}\" is expected");
        }

        if (!compressions.TryFind(Encoding, out compression))
        {
            return new Status(StatusCode.Internal, $"the response is compressed with \"{Encoding}\", which was not offered; \"{compressions.AcceptEncoding}\" are accepted");
        }

        return BadKeyStatus();
    }

    /// <summary>The status that the last block carries. <paramref name="isFirst"/>: the response has no other block ("Trailers-Only").</summary>
    public Status GetStatus(bool isFirst)
    {
        if (GrpcStatus is not { } value)
        {
            return isFirst && HttpStatus != 200
                ? FromHttpStatus()
                : new Status(StatusCode.Unknown, "the response's trailers have no grpc-status");
        }

        if (BadKeyStatus() is { } bad)
        {
            return bad;
        }

        var code = StatusMapping.ParseStatus(value);
        var detail = GrpcMessage is null ? "" : PercentCoding.Decode(GrpcMessage);
        return code == StatusCode.Unknown && value != "2" && detail.Length == 0
            ? new Status(code, $"the response's grpc-status is \"{value}\"")
            : new Status(code, detail);
    }

    private Status FromHttpStatus() => new(StatusMapping.FromHttp(HttpStatus), $"the response's HTTP status is {HttpStatus}");

    private Status? BadKeyStatus() => BadKey is null ? null : new Status(StatusCode.Internal, $"the response's \"{BadKey}\" is not base64");
}
