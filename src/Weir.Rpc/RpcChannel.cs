using Weir.Rpc.Channels;
using Weir.Rpc.Protocol;

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
    private readonly ChannelInvoker _calls;
    private readonly CallInvoker _invoker; // what calls go through first: the interceptors, or the calls themselves

    private RpcChannel(ChannelCore core)
    {
        _core = core;
        _calls = new ChannelInvoker(core);
        _invoker = core.Options.Interceptors.Count == 0 ? _calls : _calls.Intercept([.. core.Options.Interceptors]);
    }

    /// <inheritdoc/>
    internal override RpcChannelOptions? ChannelOptions => _core.Options;

    /// <summary>Creates a channel; nothing connects before the first call.</summary>
    /// <exception cref="ArgumentException">The address is of none of the three forms, or a stream's window is below 4 KiB.</exception>
    public static RpcChannel ForAddress(string address, RpcChannelOptions? options = null)
    {
        options ??= new RpcChannelOptions();
        ReceiveBudget.Check(options.Http2);
        return new RpcChannel(new ChannelCore(ServerAddress.Parse(address, options.Authority), options));
    }

    /// <inheritdoc/>
    /// <exception cref="ObjectDisposedException">The channel was disposed of.</exception>
    public override UnaryCall<TResponse> Unary<TRequest, TResponse>(Method<TRequest, TResponse> method, TRequest request, CallOptions options, CancellationToken cancellationToken) =>
        _invoker.Unary(method, request, options, cancellationToken);

    /// <inheritdoc/>
    /// <exception cref="ObjectDisposedException">The channel was disposed of.</exception>
    public override ServerStreamingCall<TResponse> ServerStreaming<TRequest, TResponse>(Method<TRequest, TResponse> method, TRequest request, CallOptions options, CancellationToken cancellationToken) =>
        _invoker.ServerStreaming(method, request, options, cancellationToken);

    /// <inheritdoc/>
    /// <exception cref="ObjectDisposedException">The channel was disposed of.</exception>
    public override ClientStreamingCall<TRequest, TResponse> ClientStreaming<TRequest, TResponse>(Method<TRequest, TResponse> method, CallOptions options, CancellationToken cancellationToken) =>
        _invoker.ClientStreaming(method, options, cancellationToken);

    /// <inheritdoc/>
    /// <exception cref="ObjectDisposedException">The channel was disposed of.</exception>
    public override DuplexStreamingCall<TRequest, TResponse> DuplexStreaming<TRequest, TResponse>(Method<TRequest, TResponse> method, CallOptions options, CancellationToken cancellationToken) =>
        _invoker.DuplexStreaming(method, options, cancellationToken);

    /// <summary>Cancels open calls, closes the connections and waits for them.</summary>
    public async ValueTask DisposeAsync()
    {
        _calls.IsDisposed = true;
        await _core.Pool.DisposeAsync().ConfigureAwait(false);
    }
}
