using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using Weir.Rpc;

namespace Weir.AspNetCore;

/// <summary>Serves RPC services from an application.</summary>
public static class WeirApplicationExtensions
{
    /// <summary>Serves the methods of <typeparamref name="TService"/>: see <see cref="MapRpc{TService}(IHost, Action{RpcInterceptors}?)"/>.</summary>
    public static WebApplication MapRpc<TService>(this WebApplication app, Action<RpcInterceptors>? intercept = null)
        where TService : class, IRpcService
    {
        ((IHost)app).MapRpc<TService>(intercept);
        return app;
    }

    /// <summary>Serves the methods of <typeparamref name="TService"/>. To be called before the host starts, once for each service. A service that is
    /// registered as a singleton is one object for all calls; any other is made for each call in a scope of its own, which is disposed
    /// after the call, and need not be registered.</summary>
    /// <param name="host">The host.</param>
    /// <param name="intercept">Adds interceptors that this service's calls pass through, after those of <see cref="WeirOptions"/>.</param>
    /// <exception cref="InvalidOperationException"><c>AddWeir</c> was not called, or the path of one of the methods is taken.</exception>
    public static IHost MapRpc<TService>(this IHost host, Action<RpcInterceptors>? intercept = null)
        where TService : class, IRpcService
    {
        ArgumentNullException.ThrowIfNull(host);
        var registered = host.Services.GetService<RegisteredServices>()
            ?? throw new InvalidOperationException("MapRpc() needs AddWeir() on the application's builder or services.");
        var own = new RpcInterceptors();
        intercept?.Invoke(own);
        var shared = host.Services.GetRequiredService<IOptions<WeirOptions>>().Value.Interceptors;
        host.Services.GetRequiredService<RpcServer>().AddService(
            registered.CreateActivator<TService>(host.Services), [.. shared.Create(host.Services, registered), .. own.Create(host.Services, registered)]);
        TService.Bind(host.Services.GetRequiredService<MappedServices>());
        return host;
    }
}
