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
        if (CallScope.Find(call) is { } shared)
        {
            state = null;
            return shared.ServiceProvider.GetRequiredService<TService>();
        }

        var scope = scopes.CreateAsyncScope();
        state = scope;
        return CallScope.Make(scope, static services => services.GetRequiredService<TService>());
    }

    public ValueTask ReleaseAsync(TService service, object? state) => state is AsyncServiceScope scope ? scope.DisposeAsync() : default;
}

/// <summary>A scope a call, disposed after it: the service is registered nowhere, so it is made here from the scope's services and disposed here.</summary>
internal sealed class FactoryActivator<TService>(IServiceScopeFactory scopes) : IServiceActivator<TService>
    where TService : class
{
    private readonly ObjectFactory<TService> _factory = ActivatorUtilities.CreateFactory<TService>([]);

    public TService Create(ServerCall call, out object? state)
    {
        if (CallScope.Find(call) is { } shared)
        {
            state = null;
            return _factory(shared.ServiceProvider, []);
        }

        var scope = scopes.CreateAsyncScope();
        state = scope;
        return CallScope.Make(scope, services => _factory(services, []));
    }

    public async ValueTask ReleaseAsync(TService service, object? state)
    {
        try
        {
            if (service is IAsyncDisposable asynchronous)
                await asynchronous.DisposeAsync().ConfigureAwait(false);
            else
                (service as IDisposable)?.Dispose();
        }
        finally
        {
            if (state is AsyncServiceScope scope)
                await scope.DisposeAsync().ConfigureAwait(false);
        }
    }
}

/// <summary>The scope of a call: the service's own, or one that interceptors and the service share.</summary>
internal static class CallScope
{
    private static readonly object Key = new();

    /// <summary>The scope that an interceptor has opened for the call, or null.</summary>
    public static AsyncServiceScope? Find(ServerCall call) =>
        call is { HasItems: true } && call.Items.TryGetValue(Key, out var scope) ? (AsyncServiceScope)scope! : null;

    /// <summary>The scope of the call, opened if there is none; disposed after the call.</summary>
    public static AsyncServiceScope Open(ServerCall call, IServiceScopeFactory scopes)
    {
        if (Find(call) is { } open)
            return open;
        var scope = scopes.CreateAsyncScope();
        call.Items[Key] = scope;
        call.RegisterForDispose(scope);
        return scope;
    }

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
