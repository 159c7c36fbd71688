using Weir.Rpc.Policies;

namespace Weir.Rpc.Channels;

/// <summary>Starts the calls of a channel, behind its interceptors.</summary>
internal sealed class ChannelInvoker(ChannelCore core) : CallInvoker
{
    /// <summary>Whether the channel was disposed of: no more calls.</summary>
    public volatile bool IsDisposed;

    /// <inheritdoc/>
    internal override RpcChannelOptions? ChannelOptions => core.Options;

    /// <inheritdoc/>
    public override UnaryCall<TResponse> Unary<TRequest, TResponse>(Method<TRequest, TResponse> method, TRequest request, CallOptions options, CancellationToken cancellationToken)
    {
        var call = Create(method, MethodKind.Unary, request, options, cancellationToken);
        return new UnaryCall<TResponse>(call, call.ReadSingleAsync());
    }

    /// <inheritdoc/>
    public override ServerStreamingCall<TResponse> ServerStreaming<TRequest, TResponse>(Method<TRequest, TResponse> method, TRequest request, CallOptions options, CancellationToken cancellationToken)
    {
        var call = Create(method, MethodKind.ServerStreaming, request, options, cancellationToken);
        return new ServerStreamingCall<TResponse>(call, call.Responses);
    }

    /// <inheritdoc/>
    public override ClientStreamingCall<TRequest, TResponse> ClientStreaming<TRequest, TResponse>(Method<TRequest, TResponse> method, CallOptions options, CancellationToken cancellationToken) =>
        new(Create(method, MethodKind.ClientStreaming, options, cancellationToken));

    /// <inheritdoc/>
    public override DuplexStreamingCall<TRequest, TResponse> DuplexStreaming<TRequest, TResponse>(Method<TRequest, TResponse> method, CallOptions options, CancellationToken cancellationToken) =>
        new(Create(method, MethodKind.DuplexStreaming, options, cancellationToken));

    private IClientCall<TRequest, TResponse> Create<TRequest, TResponse>(Method<TRequest, TResponse> method, MethodKind kind, TRequest request, in CallOptions options, CancellationToken cancellationToken)
        where TRequest : class
        where TResponse : class
    {
        ArgumentNullException.ThrowIfNull(request);
        Check(method, kind);
        if (core.Policies is { } policies && policies.Find(method.ServiceName, method.Name) is { } config)
        {
            return CreateByPolicy(policies, config, method, request, options, cancellationToken);
        }

        var call = new ClientCall<TRequest, TResponse>(core, method, request, options);
        call.Start(cancellationToken, options.CancellationToken, options.AnsweredToken);
        return Watch(call, options);
    }

    private IClientCall<TRequest, TResponse> Create<TRequest, TResponse>(Method<TRequest, TResponse> method, MethodKind kind, in CallOptions options, CancellationToken cancellationToken)
        where TRequest : class
        where TResponse : class
    {
        Check(method, kind);
        if (core.Policies is { } policies && policies.Find(method.ServiceName, method.Name) is { } config)
        {
            return CreateByPolicy(policies, config, method, null, options, cancellationToken);
        }

        var call = new ClientCall<TRequest, TResponse>(core, method, options);
        call.Start(cancellationToken, options.CancellationToken, options.AnsweredToken);
        return Watch(call, options);
    }

    private IClientCall<TRequest, TResponse> CreateByPolicy<TRequest, TResponse>(
        MethodPolicies policies, MethodConfig config, Method<TRequest, TResponse> method, TRequest? request, in CallOptions options, CancellationToken cancellationToken)
        where TRequest : class
        where TResponse : class
    {
        var deadline = ClientCall.GetDeadline(options, core.Options.TimeProvider.GetUtcNow());
        deadline = ClientCall.GetDeadline(new CallOptions { Deadline = deadline, Timeout = config.Timeout }, core.Options.TimeProvider.GetUtcNow());
        var settled = options with { Deadline = deadline, Timeout = null };
        if (config is not { RetryPolicy: null, HedgingPolicy: null })
        {
            var retrying = new RetryingCall<TRequest, TResponse>(core, policies, config, method, settled);
            retrying.Start(request, cancellationToken, options.CancellationToken, options.AnsweredToken);
            return Watch(retrying, options);
        }

        var call = request is null
            ? new ClientCall<TRequest, TResponse>(core, method, settled, config)
            : new ClientCall<TRequest, TResponse>(core, method, request, settled, config);
        call.Start(cancellationToken, options.CancellationToken, options.AnsweredToken);
        return Watch(call, options);
    }

    private IClientCall<TRequest, TResponse> Watch<TRequest, TResponse>(IChannelCall<TRequest, TResponse> call, in CallOptions options)
        where TRequest : class
        where TResponse : class =>
        options.MessageTimeout is null && options.SendTimeout is null
            ? call
            : new WatchedCall<TRequest, TResponse>(call, core.Options.TimeProvider, options.MessageTimeout, options.SendTimeout);

    private void Check<TRequest, TResponse>(Method<TRequest, TResponse> method, MethodKind kind)
        where TRequest : class
        where TResponse : class
    {
        CheckKind(method, kind);
        ObjectDisposedException.ThrowIf(IsDisposed, typeof(RpcChannel));
    }
}
