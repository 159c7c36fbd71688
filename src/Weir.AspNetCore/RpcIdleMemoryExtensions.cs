using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Weir.Http2;

namespace Weir.AspNetCore;

/// <summary>Giving the process's memory back when it is idle.</summary>
public static class RpcIdleMemoryExtensions
{
    /// <summary>Gives memory back to the system once a burst of calls is over: after five seconds in which the process has allocated less than 4 MiB, if it has
    /// allocated more than 32 MiB, and more than is alive, since the last time. Garbage is collected then, and the heap compacted; the process stands still
    /// meanwhile, some 10 ms and in the order of a second for each gigabyte that is alive. Without this, what connections and streams held is
    /// dropped all the same (<see cref="OctetPool"/>), but stays with the process until the runtime's next full collection, which an idle
    /// process may never do. May be called several times.</summary>
    public static IServiceCollection AddRpcIdleMemory(this IServiceCollection services)
    {
        ArgumentNullException.ThrowIfNull(services);
        services.TryAddSingleton(TimeProvider.System);
        if (services.All(known => known.ServiceType != typeof(IdleMemory)))
            services.AddSingleton<IdleMemory>().AddHostedService(static provider => provider.GetRequiredService<IdleMemory>());
        return services;
    }
}
