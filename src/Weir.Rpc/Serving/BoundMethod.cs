using Weir.Http2;

namespace Weir.Rpc.Serving;

/// <summary>A method with its handler.</summary>
internal abstract class BoundMethod(string path)
{
    /// <summary>The path of the method.</summary>
    public string Path { get; } = path;

    /// <summary>Makes the call of a request on a new stream.</summary>
    public abstract ServerCallState CreateCall(ServerConnection connection, Http2Stream stream, in RequestHead head);
}

/// <summary>A method whose calls have these message types, and the way its handler is run.</summary>
internal abstract class BoundMethod<TRequest, TResponse>(Method<TRequest, TResponse> method) : BoundMethod(method.Path)
    where TRequest : class
    where TResponse : class
{
    /// <summary>What both ends know of the method.</summary>
    public Method<TRequest, TResponse> Method { get; } = method;

    /// <inheritdoc/>
    public override ServerCallState CreateCall(ServerConnection connection, Http2Stream stream, in RequestHead head) =>
        new ServerCallState<TRequest, TResponse>(this, connection, stream, head);

    /// <summary>What every call passes through, the outermost first; null for none.</summary>
    public ServerInterceptor[]? Interceptors { get; init; }

    /// <summary>The handler as a stream of messages each way, for interceptors.</summary>
    public abstract IAsyncEnumerable<TResponse> Stream(ServerCallState<TRequest, TResponse> call, IAsyncEnumerable<TRequest> requests);

    /// <summary>Runs the handler of one call: takes the requests, sends the responses, not the status.</summary>
    public abstract ValueTask HandleAsync(ServerCallState<TRequest, TResponse> call);

    /// <summary>Releases what <see cref="HandleAsync"/> has made for the call.</summary>
    public abstract ValueTask ReleaseAsync(ServerCallState<TRequest, TResponse> call);
}

/// <summary>A method of a service that an activator makes; the four kinds differ in what they do with its handler.</summary>
internal abstract class BoundMethod<TActual, TService, TRequest, TResponse>(Method<TRequest, TResponse> method, IServiceActivator<TActual> activator)
    : BoundMethod<TRequest, TResponse>(method)
    where TActual : class
    where TService : class
    where TRequest : class
    where TResponse : class
{
    /// <inheritdoc/>
    public sealed override ValueTask ReleaseAsync(ServerCallState<TRequest, TResponse> call) =>
        call.Service is TActual service ? activator.ReleaseAsync(service, call.ServiceState) : default;

    /// <summary>The service object of a call; released after it.</summary>
    protected TService Activate(ServerCallState<TRequest, TResponse> call)
    {
        var service = activator.Create(call, out var state) ?? throw new InvalidOperationException($"The activator of {typeof(TActual).Name} made no object.");
        call.Service = service;
        call.ServiceState = state;
        return (TService)(object)service; // MethodBinder has checked that it is one
    }
}
