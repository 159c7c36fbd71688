using Weir.Rpc.Channels;

namespace Weir.Rpc;

/// <summary>A server-streaming call: enumerate it, once. The loop's end is the stream's end; leaving early cancels the call; an error is an <see cref="RpcException"/>.</summary>
public sealed class ServerStreamingCall<TResponse> : IAsyncEnumerable<TResponse>, IAsyncDisposable
{
    private readonly IClientCall _call;
    private readonly IAsyncEnumerable<TResponse> _responses;

    internal ServerStreamingCall(IClientCall call, IAsyncEnumerable<TResponse> responses)
    {
        _call = call;
        _responses = responses;
    }

    /// <summary>The call that this is a view of.</summary>
    internal IClientCall Inner => _call;

    /// <summary>The responses. When <paramref name="cancellationToken"/> fires, the call is cancelled and the enumeration throws <see cref="RpcException"/> (Cancelled).</summary>
    /// <exception cref="InvalidOperationException">The call has been enumerated before.</exception>
    public IAsyncEnumerator<TResponse> GetAsyncEnumerator(CancellationToken cancellationToken = default) => _responses.GetAsyncEnumerator(cancellationToken);

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
