using System.Runtime.CompilerServices;
using Weir.Rpc.Channels;

namespace Weir.Rpc;

/// <summary>A unary call: await it for the answer. Safe for use by any number of threads.</summary>
public sealed class UnaryCall<TResponse>
{
    private readonly ClientCall _call;
    private readonly Task<TResponse> _response;

    internal UnaryCall(ClientCall call, Task<TResponse> response)
    {
        _call = call;
        _response = response;
    }

    /// <summary>Awaits the answer; throws <see cref="RpcException"/> when the call ends with an error.</summary>
    public TaskAwaiter<TResponse> GetAwaiter() => _response.GetAwaiter();

    /// <summary>The answer as a task.</summary>
    public Task<TResponse> AsTask() => _response;

    /// <summary>The response's headers, once they are here; empty when the server sent none. Fails with the call when that ends before.</summary>
    public Task<Metadata> GetResponseHeadersAsync() => _call.GetResponseHeadersAsync();

    /// <summary>How many of the responses received so far came compressed.</summary>
    public int CompressedResponses => _call.CompressedResponses;

    /// <summary>The trailers, once the call has ended.</summary>
    /// <exception cref="InvalidOperationException">The call has not ended.</exception>
    public Metadata Trailers => _call.Trailers;
}
