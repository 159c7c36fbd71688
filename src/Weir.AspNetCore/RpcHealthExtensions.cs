using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Weir.AspNetCore.Health;

namespace Weir.AspNetCore;

/// <summary>The health service of gRPC, <c>grpc.health.v1.Health</c>, over ASP.NET Core's health checks.</summary>
public static class RpcHealthExtensions
{
    /// <summary>Adds what <c>MapRpcHealth</c> serves: the application's health checks, run each <see cref="RpcHealthOptions.Period"/>. All services are
    /// NOT_SERVING until the first round has ended, and again from when the host begins to stop. May be called several times; the settings add up.</summary>
    /// <returns>The builder of the application's health checks, to add some.</returns>
    public static IHealthChecksBuilder AddRpcHealth(this IServiceCollection services, Action<RpcHealthOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        if (services.All(known => known.ServiceType != typeof(ServingStatuses)))
        {
            services.AddSingleton<ServingStatuses>().AddSingleton<HealthService>();
            services.AddHostedService<HealthRounds>();
        }

        if (configure is not null)
            services.Configure(configure);
        return services.AddHealthChecks();
    }

    /// <summary>Serves <c>grpc.health.v1.Health</c>: see <see cref="MapRpcHealth(IHost)"/>.</summary>
    public static WebApplication MapRpcHealth(this WebApplication app)
    {
        ((IHost)app).MapRpcHealth();
        return app;
    }

    /// <summary>Serves <c>grpc.health.v1.Health</c>: Check, List and Watch. A Watch whose server stops is told NOT_SERVING, where its service
    /// is known, and then ends with Unavailable.</summary>
    /// <exception cref="InvalidOperationException"><c>AddWeir</c> or <c>AddRpcHealth</c> was not called, or the service is mapped already.</exception>
    public static IHost MapRpcHealth(this IHost host)
    {
        ArgumentNullException.ThrowIfNull(host);
        if (host.Services.GetService<ServingStatuses>() is null)
            throw new InvalidOperationException("MapRpcHealth() needs AddRpcHealth() on the application's services.");
        return host.MapRpc<HealthService>();
    }
}
