using System.Globalization;
using Weir.Http2;

namespace Weir.Rpc.Protocol;

/// <summary>How ends that carry no gRPC status become one.</summary>
internal static class StatusMapping
{
    /// <summary>The table "Errors" of gRPC's PROTOCOL-HTTP2: an HTTP/2 error code that the server sent, as the client's status.</summary>
    public static StatusCode FromHttp2(Http2ErrorCode errorCode) => errorCode switch
    {
        Http2ErrorCode.NoError => StatusCode.Internal,
        Http2ErrorCode.ProtocolError => StatusCode.Internal,
        Http2ErrorCode.InternalError => StatusCode.Internal,
        Http2ErrorCode.FlowControlError => StatusCode.Internal,
        Http2ErrorCode.SettingsTimeout => StatusCode.Internal,
        Http2ErrorCode.StreamClosed => StatusCode.Internal, // the table names none; a stream error that no other code describes
        Http2ErrorCode.FrameSizeError => StatusCode.Internal,
        Http2ErrorCode.RefusedStream => StatusCode.Unavailable,
        Http2ErrorCode.Cancel => StatusCode.Cancelled,
        Http2ErrorCode.CompressionError => StatusCode.Internal,
        Http2ErrorCode.ConnectError => StatusCode.Internal,
        Http2ErrorCode.EnhanceYourCalm => StatusCode.ResourceExhausted,
        Http2ErrorCode.InadequateSecurity => StatusCode.PermissionDenied,
        Http2ErrorCode.Http11Required => StatusCode.Internal,
        _ => StatusCode.Internal,
    };

    /// <summary>The table of gRPC's http-grpc-status-mapping: an HTTP status of a response that has no grpc-status.</summary>
    public static StatusCode FromHttp(int httpStatus) => httpStatus switch
    {
        400 => StatusCode.Internal,
        401 => StatusCode.Unauthenticated,
        403 => StatusCode.PermissionDenied,
        404 => StatusCode.Unimplemented,
        429 => StatusCode.Unavailable,
        502 => StatusCode.Unavailable,
        503 => StatusCode.Unavailable,
        504 => StatusCode.Unavailable,
        _ => StatusCode.Unknown,
    };

    /// <summary>The status of a client's call whose stream ended early and for which this side had decided no status of its own.</summary>
    public static Status FromAbort(Http2StreamAbort abort) => abort.Origin switch
    {
        Http2AbortOrigin.PeerReset => new Status(FromHttp2(abort.ErrorCode), abort.Message),
        Http2AbortOrigin.PeerGoAway or Http2AbortOrigin.ConnectionLost => new Status(StatusCode.Unavailable, abort.Message),
        _ when abort.ErrorCode is Http2ErrorCode.NoError or Http2ErrorCode.Cancel => new Status(StatusCode.Cancelled, abort.Message),
        _ => new Status(FromHttp2(abort.ErrorCode), abort.Message),
    };

    /// <summary>Reads a grpc-status value. What is not a number, or not a known code, is Unknown (gRPC statuscodes: "Error parsing returned status").</summary>
    public static StatusCode ParseStatus(string value) =>
        int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var code) && code <= (int)StatusCode.Unauthenticated
            ? (StatusCode)code
            : StatusCode.Unknown;

    /// <summary>The grpc-status value of a code.</summary>
    public static string FormatStatus(StatusCode code) => ((int)code).ToString(CultureInfo.InvariantCulture);
}
