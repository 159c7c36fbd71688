using Microsoft.Extensions.DependencyInjection;
using Weir.Rpc;

namespace Weir.AspNetCore;

/// <summary>A channel in dependency injection, and the clients that call through it. Filled before the container is built.</summary>
public sealed class RpcChannelBuilder
{
    private readonly object _key = new();
    private bool _propagates;
    private bool _optional;

    internal RpcChannelBuilder(IServiceCollection services, Func<IServiceProvider, RpcChannel> create)
    {
        Services = services;
        services.AddKeyedSingleton(_key, (provider, _) => create(provider)); // the container disposes of it
    }

    /// <summary>The services that the channel is part of.</summary>
    public IServiceCollection Services { get; }

    /// <summary>Adds a generated client, one object for all, which calls through this channel.</summary>
    /// <typeparam name="TClient">A class with a public constructor that takes a <see cref="CallInvoker"/>, besides services.</typeparam>
    /// <returns>This builder.</returns>
    public RpcChannelBuilder AddClient<TClient>()
        where TClient : class
    {
        Services.AddSingleton(provider => ActivatorUtilities.CreateInstance<TClient>(provider, GetInvoker(provider)));
        return this;
    }

    /// <summary>Has the calls that handlers make with this channel's clients take the deadline and the cancellation of the call that the handler answers: the
    /// earlier of both deadlines holds. See <see cref="CallInvoker.PropagateCalls"/>. Has the application's Weir server keep each call in the flow of its handler
    /// (<see cref="RpcServerOptions.PropagatesCalls"/>). The order of this and <see cref="AddClient"/> does not matter.</summary>
    /// <param name="optional">Whether a call made outside of any handler is made without. Default: false, it throws InvalidOperationException.</param>
    /// <returns>This builder.</returns>
    public RpcChannelBuilder PropagateCalls(bool optional = false)
    {
        (_propagates, _optional) = (true, optional);
        Services.Configure<WeirOptions>(static options => options.Rpc.PropagatesCalls = true);
        return this;
    }

    private CallInvoker GetInvoker(IServiceProvider provider)
    {
        var channel = provider.GetRequiredKeyedService<RpcChannel>(_key);
        return _propagates ? channel.PropagateCalls(_optional) : channel;
    }
}
