using Microsoft.Extensions.DependencyInjection;
using Weir.Rpc;

namespace Weir.AspNetCore;

/// <summary>Remembers what was registered, which a built container no longer tells: a service's lifetime decides how its calls get it.</summary>
internal sealed class RegisteredServices(IServiceCollection registrations)
{
    public IServiceActivator<TService> CreateActivator<TService>(IServiceProvider services)
        where TService : class
    {
        var scopes = services.GetRequiredService<IServiceScopeFactory>();
        return LifetimeOf(typeof(TService)) switch
        {
            null => new FactoryActivator<TService>(scopes),
            ServiceLifetime.Singleton => new SingletonActivator<TService>(services),
            _ => new ScopedActivator<TService>(scopes),
        };
    }

    /// <summary>How long an object of a type lives, or null when the type is not registered.</summary>
    public ServiceLifetime? LifetimeOf(Type type) =>
        registrations.LastOrDefault(known => known.ServiceType == type && !known.IsKeyedService)?.Lifetime;
}
