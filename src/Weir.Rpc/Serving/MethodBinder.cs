namespace Weir.Rpc.Serving;

/// <summary>Takes the methods of a service whose objects are <typeparamref name="TActual"/>s: the generated base or a class derived from it.</summary>
internal sealed class MethodBinder<TActual>(MethodTable methods, IServiceActivator<TActual> activator, ServerInterceptor[]? interceptors) : ServiceBinder
    where TActual : class
{
    /// <inheritdoc/>
    public override void Unary<TService, TRequest, TResponse>(Method<TRequest, TResponse> method, Func<TService, TRequest, ServerCall, ValueTask<TResponse>> handler)
    {
        Check<TService, TRequest, TResponse>(method, MethodKind.Unary, handler);
        methods.Add(new UnaryMethod<TActual, TService, TRequest, TResponse>(method, activator, handler) { Interceptors = interceptors }, method.ServiceName);
    }

    /// <inheritdoc/>
    public override void ClientStreaming<TService, TRequest, TResponse>(Method<TRequest, TResponse> method, Func<TService, IAsyncEnumerable<TRequest>, ServerCall, ValueTask<TResponse>> handler)
    {
        Check<TService, TRequest, TResponse>(method, MethodKind.ClientStreaming, handler);
        methods.Add(new ClientStreamingMethod<TActual, TService, TRequest, TResponse>(method, activator, handler) { Interceptors = interceptors }, method.ServiceName);
    }

    /// <inheritdoc/>
    public override void ServerStreaming<TService, TRequest, TResponse>(Method<TRequest, TResponse> method, Func<TService, TRequest, ServerCall, IAsyncEnumerable<TResponse>> handler)
    {
        Check<TService, TRequest, TResponse>(method, MethodKind.ServerStreaming, handler);
        methods.Add(new ServerStreamingMethod<TActual, TService, TRequest, TResponse>(method, activator, handler) { Interceptors = interceptors }, method.ServiceName);
    }

    /// <inheritdoc/>
    public override void DuplexStreaming<TService, TRequest, TResponse>(Method<TRequest, TResponse> method, Func<TService, IAsyncEnumerable<TRequest>, ServerCall, IAsyncEnumerable<TResponse>> handler)
    {
        Check<TService, TRequest, TResponse>(method, MethodKind.DuplexStreaming, handler);
        methods.Add(new DuplexStreamingMethod<TActual, TService, TRequest, TResponse>(method, activator, handler) { Interceptors = interceptors }, method.ServiceName);
    }

    private static void Check<TService, TRequest, TResponse>(Method<TRequest, TResponse> method, MethodKind kind, Delegate handler)
        where TRequest : class
        where TResponse : class
    {
        ArgumentNullException.ThrowIfNull(method);
        ArgumentNullException.ThrowIfNull(handler);
        if (method.Kind != kind)
        {
            throw new InvalidOperationException($"{method.Path} is a {method.Kind} method and is bound as {kind}.");
        }

        if (!typeof(TService).IsAssignableFrom(typeof(TActual)))
        {
            throw new InvalidOperationException($"{method.Path} is handled by {typeof(TService).Name}, which {typeof(TActual).Name} is not.");
        }
    }
}
