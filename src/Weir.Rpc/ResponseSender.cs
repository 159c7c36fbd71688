namespace Weir.Rpc;

/// <summary>Sends responses of one call; safe from several tasks at once: each message whole, in the order of arrival.</summary>
public abstract class ResponseSender<TResponse>
{
    /// <summary>Sends a message; waits while the client does not keep up.</summary>
    /// <exception cref="OperationCanceledException">The call was cancelled, or <paramref name="cancellationToken"/> fired before the message was queued.</exception>
    /// <exception cref="InvalidOperationException">The call has ended, or more senders wait than the connection's MaxWaitingSenders.</exception>
    /// <exception cref="RpcException">The message is larger than MaxSendMessageBytes (ResourceExhausted); nothing was sent and the call goes on.</exception>
    public ValueTask SendAsync(TResponse message, CancellationToken cancellationToken = default) => SendAsync(message, uncompressed: false, cancellationToken);

    /// <summary>Sends a message, as it is when <paramref name="uncompressed"/>, although the call's messages are compressed; else like the other SendAsync.
    /// What an interceptor makes of the message goes the same way.</summary>
    public abstract ValueTask SendAsync(TResponse message, bool uncompressed, CancellationToken cancellationToken = default);

    /// <summary>Sends a message if there is room now. False when it would have to wait, and when the call has ended.</summary>
    /// <exception cref="RpcException">The message is larger than MaxSendMessageBytes.</exception>
    public bool TrySend(TResponse message) => TrySend(message, uncompressed: false);

    /// <summary>Sends a message if there is room now, as it is when <paramref name="uncompressed"/>; else like the other TrySend.</summary>
    public abstract bool TrySend(TResponse message, bool uncompressed);
}
