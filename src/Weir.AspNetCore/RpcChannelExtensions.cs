using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Weir.Rpc;

namespace Weir.AspNetCore;

/// <summary>Adds channels and their clients to dependency injection.</summary>
public static class RpcChannelExtensions
{
    /// <summary>Adds a channel to a server: one for all its clients, which are added to the result. It connects when first used, logs where the application
    /// does, and is disposed of with the container (asynchronously). To be called once for each server.</summary>
    /// <param name="services">The services.</param>
    /// <param name="address">The server's address, of any form that <see cref="RpcChannel.ForAddress"/> takes; checked when a client is first asked for.</param>
    /// <param name="configure">Changes the channel's settings.</param>
    public static RpcChannelBuilder AddRpcChannel(this IServiceCollection services, string address, Action<RpcChannelOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(address);
        return services.AddRpcChannel(provider =>
        {
            var options = new RpcChannelOptions();
            if (provider.GetService<ILoggerFactory>() is { } loggers)
                options.LoggerFactory = loggers;
            if (provider.GetService<TimeProvider>() is { } time)
                options.TimeProvider = time;
            configure?.Invoke(options);
            return RpcChannel.ForAddress(address, options);
        });
    }

    /// <summary>Adds a channel that is made when a client is first asked for, and disposed of with the container.</summary>
    public static RpcChannelBuilder AddRpcChannel(this IServiceCollection services, Func<IServiceProvider, RpcChannel> create)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(create);
        return new RpcChannelBuilder(services, create);
    }
}
