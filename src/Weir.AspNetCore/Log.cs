using Microsoft.Extensions.Logging;

namespace Weir.AspNetCore;

/// <summary>Every log event of Weir.AspNetCore: ids 3000 to 3099.</summary>
internal static partial class Log
{
    [LoggerMessage(3000, LogLevel.Debug, "Connection {ConnectionId} sent neither an HTTP request nor a complete HTTP/2 preface within {Timeout}; it is closed.")]
    public static partial void HandshakeTimeout(ILogger logger, string connectionId, TimeSpan timeout);

    [LoggerMessage(3001, LogLevel.Debug, "Connection {ConnectionId} was lost before its protocol was known: {Reason}")]
    public static partial void ConnectionLost(ILogger logger, string connectionId, string reason);

    [LoggerMessage(3002, LogLevel.Debug, "Draining {Count} HTTP/2 connections for up to {Timeout}.")]
    public static partial void Draining(ILogger logger, int count, TimeSpan timeout);

    [LoggerMessage(3003, LogLevel.Warning, "{Count} HTTP/2 connections still had calls after {Timeout}; their calls are cancelled.")]
    public static partial void DrainTimeout(ILogger logger, int count, TimeSpan timeout);

    [LoggerMessage(3004, LogLevel.Warning, "The health checks took more than {Timeout}; no service is reported as serving until they end in time.")]
    public static partial void HealthChecksTimeout(ILogger logger, TimeSpan timeout);
}
