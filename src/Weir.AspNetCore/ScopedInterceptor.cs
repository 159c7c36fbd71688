using Microsoft.Extensions.DependencyInjection;
using Weir.Rpc;

namespace Weir.AspNetCore;

/// <summary>Makes the interceptor of each call in the call's scope. One that is not registered is made, and disposed of, here.</summary>
internal sealed class ScopedInterceptor<TInterceptor>(IServiceScopeFactory scopes, bool isRegistered) : ServerInterceptor
    where TInterceptor : ServerInterceptor
{
    private readonly ObjectFactory<TInterceptor>? _factory = isRegistered ? null : ActivatorUtilities.CreateFactory<TInterceptor>([]);

    public override IAsyncEnumerable<TResponse> Invoke<TRequest, TResponse>(
        ServerCall call, IAsyncEnumerable<TRequest> requests, Func<IAsyncEnumerable<TRequest>, IAsyncEnumerable<TResponse>> next)
    {
        var services = CallScope.Open(call, scopes).ServiceProvider;
        if (_factory is null)
            return services.GetRequiredService<TInterceptor>().Invoke(call, requests, next);
        var interceptor = _factory(services, []);
        if (interceptor is IAsyncDisposable asynchronous)
            call.RegisterForDispose(asynchronous);
        else if (interceptor is IDisposable disposable)
            call.RegisterForDispose(new Adapter(disposable));
        return interceptor.Invoke(call, requests, next);
    }

    private sealed class Adapter(IDisposable disposable) : IAsyncDisposable
    {
        public ValueTask DisposeAsync()
        {
            disposable.Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
