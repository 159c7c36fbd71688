using Microsoft.Extensions.DependencyInjection;
using Weir.Rpc;

namespace Weir.AspNetCore;

/// <summary>A list of interceptors, the outermost first. Filled before the host starts.</summary>
public sealed class RpcInterceptors
{
    private readonly List<Func<IServiceProvider, RegisteredServices, ServerInterceptor>> _interceptors = [];

    /// <summary>Adds one that comes from dependency injection. If it is registered as a singleton it is one object for all calls. Otherwise one is made for each
    /// call, in a scope that it shares with the call's other interceptors and its service, and that is disposed of after the call; it need not be registered.</summary>
    /// <returns>This list.</returns>
    public RpcInterceptors Add<TInterceptor>()
        where TInterceptor : ServerInterceptor
    {
        _interceptors.Add(static (services, registered) => registered.LifetimeOf(typeof(TInterceptor)) == ServiceLifetime.Singleton
            ? services.GetRequiredService<TInterceptor>()
            : new ScopedInterceptor<TInterceptor>(services.GetRequiredService<IServiceScopeFactory>(), registered.LifetimeOf(typeof(TInterceptor)) is not null));
        return this;
    }

    /// <summary>Adds one object for all calls.</summary>
    /// <returns>This list.</returns>
    public RpcInterceptors Add(ServerInterceptor interceptor)
    {
        ArgumentNullException.ThrowIfNull(interceptor);
        _interceptors.Add((_, _) => interceptor);
        return this;
    }

    internal IEnumerable<ServerInterceptor> Create(IServiceProvider services, RegisteredServices registered) =>
        _interceptors.Select(create => create(services, registered));
}
