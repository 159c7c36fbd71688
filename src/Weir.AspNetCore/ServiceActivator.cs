using Microsoft.Extensions.DependencyInjection;
using Weir.Rpc;

namespace Weir.AspNetCore;

/// <summary>Hands out one object for every call: the service is registered as a singleton.</summary>
internal sealed class SingletonActivator<TService>(IServiceProvider services) : IServiceActivator<TService>
    where TService : class
{
    private readonly Lazy<TService> _service = new(services.GetRequiredService<TService>);

    public TService Create(ServerCall call, out object? state)
    {
        state = null;
        return _service.Value;
    }

    public ValueTask ReleaseAsync(TService service, object? state) => ValueTask.CompletedTask;
}

/// <summary>A scope a call, disposed after it: the service comes from the scope if it is registered there.</summary>
internal sealed class ScopedActivator<TService>(IServiceScopeFactory scopes) : IServiceActivator<TService>
    where TService : class
{
    public TService Create(ServerCall call, out object? state)
    {
        var scope = scopes.CreateAsyncScope();
        state = scope;
        return CallScope.Make(scope, static services => services.GetRequiredService<TService>());
    }

    public ValueTask ReleaseAsync(TService service, object? state) => ((AsyncServiceScope)state!).DisposeAsync();
}

/// <summary>A scope a call, disposed after it: the service is registered nowhere, so it is made here from the scope's services and disposed here.</summary>
internal sealed class FactoryActivator<TService>(IServiceScopeFactory scopes) : IServiceActivator<TService>
    where TService : class
{
    private readonly ObjectFactory<TService> _factory = ActivatorUtilities.CreateFactory<TService>([]);

    public TService Create(ServerCall call, out object? state)
    {
        var scope = scopes.CreateAsyncScope();
        state = scope;
        return CallScope.Make(scope, services => _factory(services, []));
    }

    public async ValueTask ReleaseAsync(TService service, object? state)
    {
        await using var scope = ((AsyncServiceScope)state!).ConfigureAwait(false);
        if (service is IAsyncDisposable asynchronous)
            await asynchronous.DisposeAsync().ConfigureAwait(false);
        else
            (service as IDisposable)?.Dispose();
    }
}

/// <summary>What both kinds of scoped activator share.</summary>
internal static class CallScope
{
    /// <summary>Makes a service; if that fails the scope is disposed here, since nobody will release a service that does not exist.</summary>
    public static TService Make<TService>(AsyncServiceScope scope, Func<IServiceProvider, TService> make)
    {
        try
        {
            return make(scope.ServiceProvider);
        }
        catch
        {
            scope.Dispose();
            throw;
        }
    }
}
