using System.Runtime.CompilerServices;
using Weir.Rpc.Channels;

namespace Weir.Rpc;

/// <summary>A unary call: await it for the answer. Safe for use by any number of threads.</summary>
public sealed class UnaryCall<TResponse>
{
    private readonly IClientCall _call;
    private readonly Task<TResponse> _response;

    internal UnaryCall(IClientCall call, Task<TResponse> response)
    {
        _call = call;
        _response = response;
    }

    /// <summary>The call that this is a view of.</summary>
    internal IClientCall Inner => _call;

    /// <summary>Awaits the answer; throws <see cref="RpcException"/> when the call ends with an error.</summary>
    public TaskAwaiter<TResponse> GetAwaiter() => _response.GetAwaiter();

    /// <summary>The answer as a task.</summary>
    public Task<TResponse> AsTask() => _response;

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
}
