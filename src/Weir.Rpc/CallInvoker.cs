using Weir.Rpc.Channels;
using Weir.Rpc.Interception;

namespace Weir.Rpc;

/// <summary>What a generated client calls through: a channel, or something in front of one. Safe for use by any number of threads.</summary>
public abstract class CallInvoker
{
    /// <summary>Starts a unary call.</summary>
    public abstract UnaryCall<TResponse> Unary<TRequest, TResponse>(Method<TRequest, TResponse> method, TRequest request, CallOptions options, CancellationToken cancellationToken)
        where TRequest : class
        where TResponse : class;

    /// <summary>Starts a server-streaming call.</summary>
    public abstract ServerStreamingCall<TResponse> ServerStreaming<TRequest, TResponse>(Method<TRequest, TResponse> method, TRequest request, CallOptions options, CancellationToken cancellationToken)
        where TRequest : class
        where TResponse : class;

    /// <summary>Starts a client-streaming call.</summary>
    public abstract ClientStreamingCall<TRequest, TResponse> ClientStreaming<TRequest, TResponse>(Method<TRequest, TResponse> method, CallOptions options, CancellationToken cancellationToken)
        where TRequest : class
        where TResponse : class;

    /// <summary>Starts a duplex-streaming call.</summary>
    public abstract DuplexStreamingCall<TRequest, TResponse> DuplexStreaming<TRequest, TResponse>(Method<TRequest, TResponse> method, CallOptions options, CancellationToken cancellationToken)
        where TRequest : class
        where TResponse : class;

    /// <summary>A way to call through <paramref name="interceptors"/> and then through this: the first is the outermost, which sees a call first and
    /// its responses last. Interceptors of the channel (<see cref="RpcChannelOptions.Interceptors"/>) come after these.</summary>
    public CallInvoker Intercept(params ClientInterceptor[] interceptors)
    {
        ArgumentNullException.ThrowIfNull(interceptors);
        foreach (var interceptor in interceptors)
        {
            ArgumentNullException.ThrowIfNull(interceptor, nameof(interceptors));
        }

        return interceptors.Length == 0 ? this : new InterceptedInvoker(this, [.. interceptors]);
    }

    /// <summary>A way to call through this in which each call that a handler makes takes the deadline and the cancellation of the call that the handler answers,
    /// as with <see cref="CallOptions.For"/>: the earlier of that deadline and those of its own options holds, and each of the tokens cancels it. Nothing else
    /// goes along. Which call that is, is known in the flow of the handler and of what it awaits or starts, on servers with
    /// <see cref="RpcServerOptions.PropagatesCalls"/>, until the call has ended.</summary>
    /// <param name="optional">Whether a call that is made outside of any handler, or after its call has ended, is made without. Default: false, it throws
    /// InvalidOperationException at its start.</param>
    public CallInvoker PropagateCalls(bool optional = false) => new PropagatingInvoker(this, optional);

    /// <summary>Ends the pauses after failed attempts to connect, of the channel behind this: it tries again at once, calls wait for the outcome, and the next
    /// pause is the first one again. For an application that has waited by itself, or knows that the network is back. Does nothing when there is no channel.</summary>
    public virtual void ResetConnectBackoff()
    {
    }

    /// <summary>The settings of the channel behind this, or null when there is none that is known.</summary>
    internal virtual RpcChannelOptions? ChannelOptions => null;

    /// <summary>Throws ArgumentException when a method is called as another kind than it is.</summary>
    private protected static void CheckKind<TRequest, TResponse>(Method<TRequest, TResponse> method, MethodKind kind)
        where TRequest : class
        where TResponse : class
    {
        ArgumentNullException.ThrowIfNull(method);
        if (method.Kind != kind)
        {
            throw new ArgumentException($"{method.Path} is a {method.Kind} method; this call is {kind}.", nameof(method));
        }
    }
}
