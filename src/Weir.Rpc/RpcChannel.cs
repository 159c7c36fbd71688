using Weir.Rpc.Channels;

namespace Weir.Rpc;

/// <summary>A client's logical endpoint: connects when first used, again after a loss. "http://host:port", "https://host:port" or "unix:/path".
/// Safe for use by any number of threads.</summary>
/// <remarks>
/// A call that ends with an error throws <see cref="RpcException"/>, whatever ended it: also when the caller's own token fired (Cancelled) or its
/// deadline passed (DeadlineExceeded, at once, without waiting for the server). OperationCanceledException is only thrown by a send whose own token
/// fired before the message was queued; the call goes on then.
/// </remarks>
public sealed class RpcChannel : CallInvoker, IAsyncDisposable
{
    private readonly ChannelCore _core;
    private volatile bool _disposed;

    private RpcChannel(ChannelCore core) => _core = core;

    /// <summary>Creates a channel; nothing connects before the first call.</summary>
    /// <exception cref="ArgumentException">The address is of none of the three forms.</exception>
    public static RpcChannel ForAddress(string address, RpcChannelOptions? options = null)
    {
        options ??= new RpcChannelOptions();
        return new RpcChannel(new ChannelCore(ServerAddress.Parse(address, options.Authority), options));
    }

    /// <inheritdoc/>
    /// <exception cref="ObjectDisposedException">The channel was disposed of.</exception>
    public override UnaryCall<TResponse> Unary<TRequest, TResponse>(Method<TRequest, TResponse> method, TRequest request, CallOptions options, CancellationToken cancellationToken)
    {
        var call = Create(method, MethodKind.Unary, request, options, cancellationToken);
        return new UnaryCall<TResponse>(call, call.ReadSingleAsync());
    }

    /// <inheritdoc/>
    /// <exception cref="ObjectDisposedException">The channel was disposed of.</exception>
    public override ServerStreamingCall<TResponse> ServerStreaming<TRequest, TResponse>(Method<TRequest, TResponse> method, TRequest request, CallOptions options, CancellationToken cancellationToken)
    {
        var call = Create(method, MethodKind.ServerStreaming, request, options, cancellationToken);
        return new ServerStreamingCall<TResponse>(call, call.Messages, call.DisposeAsync);
    }

    /// <inheritdoc/>
    /// <exception cref="ObjectDisposedException">The channel was disposed of.</exception>
    public override ClientStreamingCall<TRequest, TResponse> ClientStreaming<TRequest, TResponse>(Method<TRequest, TResponse> method, CallOptions options, CancellationToken cancellationToken) =>
        new(Create(method, MethodKind.ClientStreaming, options, cancellationToken));

    /// <inheritdoc/>
    /// <exception cref="ObjectDisposedException">The channel was disposed of.</exception>
    public override DuplexStreamingCall<TRequest, TResponse> DuplexStreaming<TRequest, TResponse>(Method<TRequest, TResponse> method, CallOptions options, CancellationToken cancellationToken) =>
        new(Create(method, MethodKind.DuplexStreaming, options, cancellationToken));

    /// <summary>Cancels open calls, closes the connections and waits for them.</summary>
    public async ValueTask DisposeAsync()
    {
        _disposed = true;
        await _core.Pool.DisposeAsync().ConfigureAwait(false);
    }

    private ClientCall<TRequest, TResponse> Create<TRequest, TResponse>(Method<TRequest, TResponse> method, MethodKind kind, TRequest request, in CallOptions options, CancellationToken cancellationToken)
        where TRequest : class
        where TResponse : class
    {
        ArgumentNullException.ThrowIfNull(request);
        Check(method, kind);
        var call = new ClientCall<TRequest, TResponse>(_core, method, request, options);
        call.Start(cancellationToken);
        return call;
    }

    private ClientCall<TRequest, TResponse> Create<TRequest, TResponse>(Method<TRequest, TResponse> method, MethodKind kind, in CallOptions options, CancellationToken cancellationToken)
        where TRequest : class
        where TResponse : class
    {
        Check(method, kind);
        var call = new ClientCall<TRequest, TResponse>(_core, method, options);
        call.Start(cancellationToken);
        return call;
    }

    private void Check<TRequest, TResponse>(Method<TRequest, TResponse> method, MethodKind kind)
        where TRequest : class
        where TResponse : class
    {
        ArgumentNullException.ThrowIfNull(method);
        ObjectDisposedException.ThrowIf(_disposed, this);
        if (method.Kind != kind)
        {
            throw new ArgumentException($"{method.Path} is a {method.Kind} method; this call is {kind}.", nameof(method));
        }
    }
}
