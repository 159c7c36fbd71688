namespace Weir.Rpc.Protocol;

/// <summary>The names and fixed values of gRPC's header fields.</summary>
internal static class GrpcNames
{
    public const string Method = ":method";
    public const string Scheme = ":scheme";
    public const string Path = ":path";
    public const string Authority = ":authority";
    public const string HttpStatus = ":status";
    public const string ContentType = "content-type";
    public const string Te = "te";
    public const string UserAgent = "user-agent";
    public const string Timeout = "grpc-timeout";
    public const string Encoding = "grpc-encoding";
    public const string AcceptEncoding = "grpc-accept-encoding";
    public const string Status = "grpc-status";
    public const string Message = "grpc-message";
    public const string StatusDetails = "grpc-status-details-bin"; // the application's, although its name looks like the protocol's
    public const string PreviousAttempts = "grpc-previous-rpc-attempts";
    public const string RetryPushback = "grpc-retry-pushback-ms";

    public const string Identity = "identity";
    public const string GrpcContent = "application/grpc";
    public const string BinarySuffix = "-bin";

    /// <summary>Whether a content type is gRPC's: "application/grpc", with "+format" or ";parameters" or without.</summary>
    public static bool IsGrpcContent(ReadOnlySpan<char> contentType) =>
        contentType.StartsWith(GrpcContent, StringComparison.OrdinalIgnoreCase)
        && (contentType.Length == GrpcContent.Length || contentType[GrpcContent.Length] is '+' or ';');

    /// <summary>Whether a received field belongs to the protocol and so is not part of the metadata that the application sees.</summary>
    public static bool IsProtocolField(string name) =>
        name.StartsWith(':') || name is ContentType or Te or Timeout or Encoding or AcceptEncoding or Status or Message;

    /// <summary>Whether an application may not send a field of this name: it belongs to gRPC, to HTTP, or to the connection (RFC 9113 §8.2.2).</summary>
    public static bool IsReservedForSending(string name) =>
        (name.StartsWith("grpc-", StringComparison.Ordinal) && name != StatusDetails)
        || name is ContentType or Te or UserAgent or "host" or "content-length" or "connection" or "keep-alive" or "proxy-connection"
            or "transfer-encoding" or "upgrade";

    /// <summary>Whether a value should stay out of every compression table (RFC 7541 §7.1.3).</summary>
    public static bool IsSensitive(string name) => name is "authorization" or "proxy-authorization" or "cookie" or "set-cookie";
}
