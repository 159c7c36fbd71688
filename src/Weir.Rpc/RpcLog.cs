using Microsoft.Extensions.Logging;

namespace Weir.Rpc;

/// <summary>Every log event of this library. Ids: 1-99 the server, 100-199 the channel.</summary>
internal static partial class RpcLog
{
    [LoggerMessage(1, LogLevel.Error, "The handler of {Method} failed (peer {Peer}).")]
    public static partial void HandlerFailed(ILogger logger, Exception error, string method, string peer);

    [LoggerMessage(2, LogLevel.Error, "Releasing the service of {Method} failed (peer {Peer}).")]
    public static partial void ReleaseFailed(ILogger logger, Exception error, string method, string peer);

    [LoggerMessage(3, LogLevel.Error, "A callback on the cancellation of {Method} failed (peer {Peer}).")]
    public static partial void CancellationCallbackFailed(ILogger logger, Exception error, string method, string peer);

    [LoggerMessage(4, LogLevel.Error, "A callback on the draining of the server failed.")]
    public static partial void DrainCallbackFailed(ILogger logger, Exception error);

    [LoggerMessage(5, LogLevel.Debug, "The connection of {Peer} ended: {Reason}")]
    public static partial void ServerConnectionEnded(ILogger logger, string peer, string? reason);

    [LoggerMessage(6, LogLevel.Warning, "A call of {Peer} was refused after it was held: {Running} calls of its connection are running; the limit is {Limit}. More of this connection are not logged.")]
    public static partial void CallRefused(ILogger logger, string peer, int running, int limit);

    [LoggerMessage(100, LogLevel.Debug, "Connected to {Address}.")]
    public static partial void Connected(ILogger logger, string address);

    [LoggerMessage(101, LogLevel.Warning, "Cannot connect to {Address}: {Reason}")]
    public static partial void ConnectFailed(ILogger logger, string address, string reason);

    [LoggerMessage(102, LogLevel.Debug, "The connection to {Address} ended: {Reason}")]
    public static partial void ChannelConnectionEnded(ILogger logger, string address, string? reason);

    [LoggerMessage(103, LogLevel.Warning, "Cannot find the servers of {Address}: {Reason}")]
    public static partial void ResolveFailed(ILogger logger, string address, string reason);
}
