using Weir.Rpc.Channels;

namespace Weir.Rpc.Interception;

/// <summary>Starts calls through interceptors.</summary>
internal sealed class InterceptedInvoker(CallInvoker next, ClientInterceptor[] interceptors) : CallInvoker
{
    /// <inheritdoc/>
    public override void ResetConnectBackoff() => next.ResetConnectBackoff();

    /// <inheritdoc/>
    internal override RpcChannelOptions? ChannelOptions => next.ChannelOptions;

    /// <inheritdoc/>
    public override UnaryCall<TResponse> Unary<TRequest, TResponse>(Method<TRequest, TResponse> method, TRequest request, CallOptions options, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        var call = Create(method, MethodKind.Unary, request, options, cancellationToken);
        return new UnaryCall<TResponse>(call, call.ReadSingleAsync());
    }

    /// <inheritdoc/>
    public override ServerStreamingCall<TResponse> ServerStreaming<TRequest, TResponse>(Method<TRequest, TResponse> method, TRequest request, CallOptions options, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        var call = Create(method, MethodKind.ServerStreaming, request, options, cancellationToken);
        return new ServerStreamingCall<TResponse>(call, call.Responses);
    }

    /// <inheritdoc/>
    public override ClientStreamingCall<TRequest, TResponse> ClientStreaming<TRequest, TResponse>(Method<TRequest, TResponse> method, CallOptions options, CancellationToken cancellationToken) =>
        new(Create(method, MethodKind.ClientStreaming, null, options, cancellationToken));

    /// <inheritdoc/>
    public override DuplexStreamingCall<TRequest, TResponse> DuplexStreaming<TRequest, TResponse>(Method<TRequest, TResponse> method, CallOptions options, CancellationToken cancellationToken) =>
        new(Create(method, MethodKind.DuplexStreaming, null, options, cancellationToken));

    /// <summary>The limit of the waits for a response is watched here, where the caller waits: what interceptors ask for is their own affair.</summary>
    private IClientCall<TRequest, TResponse> Create<TRequest, TResponse>(
        Method<TRequest, TResponse> method, MethodKind kind, TRequest? request, in CallOptions options, CancellationToken cancellationToken)
        where TRequest : class
        where TResponse : class
    {
        CheckKind(method, kind);
        var call = new InterceptedCall<TRequest, TResponse>(next, interceptors, method, request, options);
        call.Start(cancellationToken);
        return options.MessageTimeout is null
            ? call
            : new WatchedCall<TRequest, TResponse>(call, ChannelOptions?.TimeProvider ?? TimeProvider.System, options.MessageTimeout, sendTimeout: null);
    }
}
