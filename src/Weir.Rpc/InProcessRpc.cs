using System.IO.Pipelines;
using Weir.Rpc.Channels;

namespace Weir.Rpc;

/// <summary>A channel to a server in the same process, through memory instead of a network, for tests: everything but the socket is what a real call
/// passes through. Safe for use by any number of threads.</summary>
/// <example><code>
/// await using var host = InProcessRpc.Start(new Prices());
/// var client = new StockService.Client(host.Channel);
/// </code></example>
public sealed class InProcessRpc : IAsyncDisposable
{
    // What one end may have written and the other not read yet.
    private static readonly PipeOptions Pipes = new(pauseWriterThreshold: 1 << 20, resumeWriterThreshold: 1 << 19, useSynchronizationContext: false);

    private readonly RpcServer _server;
    private readonly RunningTasks _serving = new();

    private InProcessRpc(RpcServer server, Action<RpcChannelOptions>? configure)
    {
        _server = server;
        var options = new RpcChannelOptions();
        configure?.Invoke(options);
        options.ConnectTransport = _ => new ValueTask<IDuplexPipe>(Connect());
        Channel = RpcChannel.ForAddress("http://in-process", options);
    }

    /// <summary>The channel to the server; <see cref="DisposeAsync"/> disposes of it.</summary>
    public RpcChannel Channel { get; }

    /// <summary>Starts a server with one service, whose one object serves all calls.</summary>
    /// <param name="service">The service. It is not disposed of.</param>
    /// <param name="server">Settings of the server. Default: the defaults.</param>
    /// <param name="channel">Changes the channel's settings. Default: the defaults.</param>
    public static InProcessRpc Start<TService>(TService service, RpcServerOptions? server = null, Action<RpcChannelOptions>? channel = null)
        where TService : class, IRpcService
    {
        ArgumentNullException.ThrowIfNull(service);
        var rpc = new RpcServer(server);
        rpc.AddService(new OneObject<TService>(service));
        return new InProcessRpc(rpc, channel);
    }

    /// <summary>Connects to a server that is there: one with several services, or a web application's
    /// (<c>app.Services.GetRequiredService&lt;RpcServer&gt;()</c>, after its <c>MapRpc</c> calls), which need not listen for it.</summary>
    /// <param name="server">The server. It is not stopped at the end.</param>
    /// <param name="channel">Changes the channel's settings. Default: the defaults.</param>
    public static InProcessRpc Start(RpcServer server, Action<RpcChannelOptions>? channel = null)
    {
        ArgumentNullException.ThrowIfNull(server);
        return new InProcessRpc(server, channel);
    }

    /// <summary>Disposes of the channel, which cancels its open calls, and waits until their handlers have ended.</summary>
    public async ValueTask DisposeAsync()
    {
        await Channel.DisposeAsync().ConfigureAwait(false);
        await _serving.WhenNoneAsync().ConfigureAwait(false);
    }

    private End Connect()
    {
        var (up, down) = (new Pipe(Pipes), new Pipe(Pipes));
        _serving.Add(Task.Run(() => _server.ServeAsync(new End(up.Reader, down.Writer), "in-process")));
        return new End(down.Reader, up.Writer);
    }

    private sealed record End(PipeReader Input, PipeWriter Output) : IDuplexPipe;

    private sealed class OneObject<TService>(TService service) : IServiceActivator<TService>
        where TService : class
    {
        public TService Create(ServerCall call, out object? state)
        {
            state = null;
            return service;
        }

        public ValueTask ReleaseAsync(TService released, object? state) => default;
    }
}
