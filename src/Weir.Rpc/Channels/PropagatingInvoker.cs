using Weir.Rpc.Serving;

namespace Weir.Rpc.Channels;

/// <summary>Starts calls with the deadline and the cancellation of the call that they help to answer.</summary>
internal sealed class PropagatingInvoker(CallInvoker next, bool optional) : CallInvoker
{
    /// <inheritdoc/>
    internal override RpcChannelOptions? ChannelOptions => next.ChannelOptions;

    /// <inheritdoc/>
    public override void ResetConnectBackoff() => next.ResetConnectBackoff();

    /// <inheritdoc/>
    public override UnaryCall<TResponse> Unary<TRequest, TResponse>(Method<TRequest, TResponse> method, TRequest request, CallOptions options, CancellationToken cancellationToken)
    {
        Propagate(ref options, ref cancellationToken);
        return next.Unary(method, request, options, cancellationToken);
    }

    /// <inheritdoc/>
    public override ServerStreamingCall<TResponse> ServerStreaming<TRequest, TResponse>(Method<TRequest, TResponse> method, TRequest request, CallOptions options, CancellationToken cancellationToken)
    {
        Propagate(ref options, ref cancellationToken);
        return next.ServerStreaming(method, request, options, cancellationToken);
    }

    /// <inheritdoc/>
    public override ClientStreamingCall<TRequest, TResponse> ClientStreaming<TRequest, TResponse>(Method<TRequest, TResponse> method, CallOptions options, CancellationToken cancellationToken)
    {
        Propagate(ref options, ref cancellationToken);
        return next.ClientStreaming(method, options, cancellationToken);
    }

    /// <inheritdoc/>
    public override DuplexStreamingCall<TRequest, TResponse> DuplexStreaming<TRequest, TResponse>(Method<TRequest, TResponse> method, CallOptions options, CancellationToken cancellationToken)
    {
        Propagate(ref options, ref cancellationToken);
        return next.DuplexStreaming(method, options, cancellationToken);
    }

    private void Propagate(ref CallOptions options, ref CancellationToken cancellationToken)
    {
        if (CurrentCall.Value is not { } call)
        {
            if (optional)
            {
                return;
            }

            throw new InvalidOperationException(
                "This client makes calls for the call that a handler answers, and here is none: this is not a handler, or its call has ended, or its server does "
                + "not propagate calls (RpcServerOptions.PropagatesCalls). With PropagateCalls(optional: true) calls are made without one.");
        }

        if (call.Deadline is { } deadline && !(options.Deadline < deadline))
        {
            options = options with { Deadline = deadline };
        }

        // Whichever place the caller has left free.
        var answered = call.CancellationToken;
        if (!cancellationToken.CanBeCanceled)
        {
            cancellationToken = answered;
        }
        else if (!options.CancellationToken.CanBeCanceled)
        {
            options = options with { CancellationToken = answered };
        }
        else
        {
            options = options with { AnsweredToken = answered };
        }
    }
}
