using Weir.Rpc.Protocol;

namespace Weir.Rpc.Serving;

/// <summary>The header blocks of a response.</summary>
internal static class ResponseHead
{
    /// <summary>The headers before the first message.</summary>
    public static void WriteHeaders(ref HeaderList headers, Metadata? metadata, string? encoding = null, string? acceptEncoding = null)
    {
        headers.Add(GrpcNames.HttpStatus, "200");
        headers.Add(GrpcNames.ContentType, GrpcNames.GrpcContent);
        if (encoding is not null)
        {
            headers.Add(GrpcNames.Encoding, encoding);
        }

        if (acceptEncoding is not null)
        {
            headers.Add(GrpcNames.AcceptEncoding, acceptEncoding);
        }

        MetadataCodec.Write(metadata, ref headers);
    }

    /// <summary>The block that ends the response; the only one when <paramref name="trailersOnly"/>.</summary>
    public static void WriteTrailers(ref HeaderList headers, Status status, Metadata? trailers, Metadata? moreTrailers, bool trailersOnly)
    {
        if (trailersOnly)
        {
            WriteHeaders(ref headers, null);
        }

        headers.Add(GrpcNames.Status, StatusMapping.FormatStatus(status.Code));
        if (!string.IsNullOrEmpty(status.Detail))
        {
            headers.Add(GrpcNames.Message, PercentCoding.Encode(status.Detail));
        }

        MetadataCodec.Write(trailers, ref headers);
        MetadataCodec.Write(moreTrailers, ref headers);
    }
}
