using Google.Protobuf.Reflection;

namespace Weir.Rpc;

/// <summary>What generated service bases implement: they name their methods to a binder.</summary>
public interface IRpcService
{
    /// <summary>Adds every method of the service to <paramref name="binder"/>.</summary>
    static abstract void Bind(ServiceBinder binder);
}

/// <summary>Takes a service's methods.</summary>
public abstract class ServiceBinder
{
    /// <summary>Takes what the .proto says of the service, before its methods; a service that comes from no .proto does not call this.
    /// Does nothing here.</summary>
    public virtual void Describe(ServiceDescriptor descriptor)
    {
    }

    /// <summary>Adds a unary method.</summary>
    public abstract void Unary<TService, TRequest, TResponse>(Method<TRequest, TResponse> method, Func<TService, TRequest, ServerCall, ValueTask<TResponse>> handler)
        where TService : class
        where TRequest : class
        where TResponse : class;

    /// <summary>Adds a client-streaming method.</summary>
    public abstract void ClientStreaming<TService, TRequest, TResponse>(Method<TRequest, TResponse> method, Func<TService, IAsyncEnumerable<TRequest>, ServerCall, ValueTask<TResponse>> handler)
        where TService : class
        where TRequest : class
        where TResponse : class;

    /// <summary>Adds a server-streaming method.</summary>
    public abstract void ServerStreaming<TService, TRequest, TResponse>(Method<TRequest, TResponse> method, Func<TService, TRequest, ServerCall, IAsyncEnumerable<TResponse>> handler)
        where TService : class
        where TRequest : class
        where TResponse : class;

    /// <summary>Adds a duplex-streaming method.</summary>
    public abstract void DuplexStreaming<TService, TRequest, TResponse>(Method<TRequest, TResponse> method, Func<TService, IAsyncEnumerable<TRequest>, ServerCall, IAsyncEnumerable<TResponse>> handler)
        where TService : class
        where TRequest : class
        where TResponse : class;
}
