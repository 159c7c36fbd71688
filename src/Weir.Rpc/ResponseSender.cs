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

    /// <summary>Sends a message that other calls send too, without serialising it again; else like the other SendAsync. Behind an interceptor it is
    /// sent like any other.</summary>
    public virtual ValueTask SendAsync(SharedMessage<TResponse> message, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(message);
        return SendAsync(message.Message, cancellationToken);
    }

    /// <summary>Sends several such messages one after another, many in one go: what a broadcast that keeps up with a fast publisher uses. Nothing is sent
    /// between them that other tasks send, up to 16 KiB of them. The memory may be used again once this has completed.</summary>
    /// <exception cref="RpcException">A message is larger than MaxSendMessageBytes: those before it are sent, it and those behind it are not.</exception>
    public virtual async ValueTask SendAsync(ReadOnlyMemory<SharedMessage<TResponse>> messages, CancellationToken cancellationToken = default)
    {
        for (var i = 0; i < messages.Length; i++)
        {
            await SendAsync(messages.Span[i].Message, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Sends a message that other calls send too if there is room now; else like the other TrySend.</summary>
    public virtual bool TrySend(SharedMessage<TResponse> message)
    {
        ArgumentNullException.ThrowIfNull(message);
        return TrySend(message.Message);
    }
}
