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
        return registrations.LastOrDefault(known => known.ServiceType == typeof(TService) && !known.IsKeyedService)?.Lifetime switch
        {
            null => new FactoryActivator<TService>(scopes),
            ServiceLifetime.Singleton => new SingletonActivator<TService>(services),
            _ => new ScopedActivator<TService>(scopes),
        };
    }
}
