using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Weir.AspNetCore.Reflection;
using Weir.AspNetCore.Transport;
using Weir.Rpc;

namespace Weir.AspNetCore;

/// <summary>Adds Weir to an application.</summary>
public static class WeirServiceCollectionExtensions
{
    /// <summary>Adds Weir to a web application: see <see cref="AddWeir(IServiceCollection, Action{WeirOptions}?)"/>.</summary>
    public static WebApplicationBuilder AddWeir(this WebApplicationBuilder builder, Action<WeirOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        builder.Services.AddWeir(configure);
        return builder;
    }

    /// <summary>Adds Weir to Kestrel: connections that begin with the HTTP/2 preface are Weir's, all others stay ASP.NET Core's, on the same port.
    /// It holds for every endpoint from configuration, environment and <c>app.Urls</c>, with TLS or without, and for endpoints made in code
    /// without TLS. An endpoint made in code with TLS needs <c>listen.UseHttps(...).UseWeir()</c>. This takes
    /// <see cref="KestrelServerOptions.ConfigureEndpointDefaults"/>, of which Kestrel keeps only the last: an application that sets its own calls
    /// <c>UseWeir()</c> in it. May be called several times; the settings add up.</summary>
    public static IServiceCollection AddWeir(this IServiceCollection services, Action<WeirOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        if (services.All(known => known.ServiceType != typeof(RegisteredServices)))
            AddOnce(services);
        if (configure is not null)
            services.Configure(configure);
        return services;
    }

    private static void AddOnce(IServiceCollection services)
    {
        services.AddSingleton(new RegisteredServices(services));
        services.TryAddSingleton(TimeProvider.System);
        services.AddOptions<WeirOptions>().Configure<ILoggerFactory, TimeProvider>(static (options, loggers, time) =>
        {
            options.Rpc.LoggerFactory = loggers;
            options.Rpc.TimeProvider = time;
        });
        services.AddSingleton(provider => new RpcServer(provider.GetRequiredService<IOptions<WeirOptions>>().Value.Rpc));
        services.AddSingleton<IConnectionServer, RpcConnectionServer>();
        services.AddSingleton<MappedServices>();
        services.AddSingleton<ReflectionAnswers>();
        services.AddSingleton<OpenConnections>();
        services.AddSingleton<WeirConnections>();
        services.AddSingleton<TlsAddresses>();
        services.AddSingleton<KestrelSetup>();
        services.Insert(0, ServiceDescriptor.Singleton<IConfigureOptions<KestrelServerOptions>>(provider => provider.GetRequiredService<KestrelSetup>()));
        services.AddSingleton<IPostConfigureOptions<KestrelServerOptions>>(provider => provider.GetRequiredService<KestrelSetup>());
        services.AddSingleton<IConnectionListenerFactory, SocketListenerFactory>();
        services.AddHostedService<TlsAddressReader>();
        services.AddHostedService<GracefulShutdown>();
    }
}
