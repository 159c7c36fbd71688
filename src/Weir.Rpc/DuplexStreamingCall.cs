using Weir.Rpc.Channels;

namespace Weir.Rpc;

/// <summary>A duplex-streaming call: send and receive at the same time. Any number of tasks may send, one may enumerate.</summary>
public sealed class DuplexStreamingCall<TRequest, TResponse> : IAsyncDisposable
    where TRequest : class
    where TResponse : class
{
    private readonly IClientCall<TRequest, TResponse> _call;

    internal DuplexStreamingCall(IClientCall<TRequest, TResponse> call) => _call = call;

    /// <summary>The call that this is a view of.</summary>
    internal IClientCall<TRequest, TResponse> Inner => _call;

    /// <summary>Sends a message; waits while the peer does not keep up. Safe from several tasks at once: each message whole, in the order of arrival.</summary>
    /// <exception cref="RpcException">The call has ended with an error, or the message is larger than MaxSendMessageBytes (the call goes on then).</exception>
    /// <exception cref="InvalidOperationException">The call has ended with OK, or CompleteAsync was called.</exception>
    /// <exception cref="OperationCanceledException">The token fired before the message was queued; the call goes on.</exception>
    public ValueTask SendAsync(TRequest message, CancellationToken cancellationToken = default) => _call.SendAsync(message, uncompressed: false, cancellationToken);

    /// <summary>Sends a message, as it is when <paramref name="uncompressed"/>, although the call's messages are compressed; else like the other SendAsync.</summary>
    public ValueTask SendAsync(TRequest message, bool uncompressed, CancellationToken cancellationToken = default) => _call.SendAsync(message, uncompressed, cancellationToken);

    /// <summary>Sends a message if there is room now. False when it would have to wait, and when the call has ended.</summary>
    /// <exception cref="RpcException">The message is larger than MaxSendMessageBytes.</exception>
    /// <exception cref="InvalidOperationException">CompleteAsync was called.</exception>
    public bool TrySend(TRequest message) => _call.TrySend(message, uncompressed: false);

    /// <summary>Sends a message if there is room now, as it is when <paramref name="uncompressed"/>; else like the other TrySend.</summary>
    public bool TrySend(TRequest message, bool uncompressed) => _call.TrySend(message, uncompressed);

    /// <summary>Says that no more messages follow, after all sends made before; responses go on. Never waits.
    /// No effect when it was said before or the call has ended.</summary>
    /// <exception cref="OperationCanceledException">The token has fired; nothing was said.</exception>
    public ValueTask CompleteAsync(CancellationToken cancellationToken = default)
    {
        if (cancellationToken.IsCancellationRequested)
        {
            return ValueTask.FromCanceled(cancellationToken);
        }

        _call.Complete();
        return default;
    }

    /// <summary>The responses, to be enumerated once. The loop's end is the stream's end; leaving early cancels the call; an error is an <see cref="RpcException"/>.</summary>
    public IAsyncEnumerable<TResponse> Responses => _call.Responses;

    /// <summary>The response's headers, once they are here; empty when the server sent none. Fails with the call when that ends before.</summary>
    public Task<Metadata> GetResponseHeadersAsync() => _call.GetResponseHeadersAsync();

    /// <summary>Whether no policy of the service config tries the call again any more: because there is none, because the response's headers are here,
    /// because more was sent than is kept for another attempt, or because it has ended.</summary>
    public bool IsCommitted => _call.IsCommitted;

    /// <summary>How many of the responses received so far came compressed.</summary>
    public int CompressedResponses => _call.CompressedResponses;

    /// <summary>The trailers, once the call has ended.</summary>
    /// <exception cref="InvalidOperationException">The call has not ended.</exception>
    public Metadata Trailers => _call.Trailers;

    /// <summary>Cancels the call if it has not ended.</summary>
    public ValueTask DisposeAsync() => _call.DisposeAsync();
}
