using Weir.Rpc.Channels;

namespace Weir.Rpc;

/// <summary>A server-streaming call: enumerate it, once. The loop's end is the stream's end; leaving early cancels the call; an error is an <see cref="RpcException"/>.</summary>
public sealed class ServerStreamingCall<TResponse> : IAsyncEnumerable<TResponse>, IAsyncDisposable
{
    private readonly ClientCall _call;
    private readonly IAsyncEnumerable<TResponse> _responses;
    private readonly Func<ValueTask> _dispose;

    internal ServerStreamingCall(ClientCall call, IAsyncEnumerable<TResponse> responses, Func<ValueTask> dispose)
    {
        _call = call;
        _responses = responses;
        _dispose = dispose;
    }

    /// <summary>The responses. When <paramref name="cancellationToken"/> fires, the call is cancelled and the enumeration throws <see cref="RpcException"/> (Cancelled).</summary>
    /// <exception cref="InvalidOperationException">The call has been enumerated before.</exception>
    public IAsyncEnumerator<TResponse> GetAsyncEnumerator(CancellationToken cancellationToken = default) => _responses.GetAsyncEnumerator(cancellationToken);

    /// <summary>The response's headers, once they are here; empty when the server sent none. Fails with the call when that ends before.</summary>
    public Task<Metadata> GetResponseHeadersAsync() => _call.GetResponseHeadersAsync();

    /// <summary>How many of the responses received so far came compressed.</summary>
    public int CompressedResponses => _call.CompressedResponses;

    /// <summary>The trailers, once the call has ended.</summary>
    /// <exception cref="InvalidOperationException">The call has not ended.</exception>
    public Metadata Trailers => _call.Trailers;

    /// <summary>Cancels the call if it has not ended.</summary>
    public ValueTask DisposeAsync() => _dispose();
}
