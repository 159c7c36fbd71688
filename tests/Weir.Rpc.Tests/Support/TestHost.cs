using System.IO.Pipelines;

namespace Weir.Rpc.Tests.Support;

/// <summary>A server and a channel in one process, over pipes. Disposing checks that everything has ended and that no unexpected error was logged.</summary>
internal sealed class TestHost : IAsyncDisposable
{
    private readonly List<Task> _serving = [];
    private readonly List<PipePair> _pairs = [];

    public TestHost(Action<RpcServerOptions>? server = null, Action<RpcChannelOptions>? channel = null)
    {
        var serverOptions = new RpcServerOptions { LoggerFactory = Log };
        server?.Invoke(serverOptions);
        Server = new RpcServer(serverOptions);
        Activator = new TestActivator<TestService>(Service);
        Server.AddService(Activator);
        var channelOptions = new RpcChannelOptions { ConnectTransport = ConnectAsync, LoggerFactory = Log };
        channel?.Invoke(channelOptions);
        Channel = RpcChannel.ForAddress("http://in-process", channelOptions);
    }

    public TestService Service { get; } = new();

    public TestActivator<TestService> Activator { get; }

    public RpcServer Server { get; }

    public RpcChannel Channel { get; }

    public TestLog Log { get; } = new();

    /// <summary>What the server is expected to log as errors, by the start of its text ("1 The handler").</summary>
    public string[] ExpectedErrors { get; set; } = [];

    public int Connections
    {
        get
        {
            lock (_pairs)
            {
                return _pairs.Count;
            }
        }
    }

    public UnaryCall<string> Unary(string request, CallOptions options = default, CancellationToken cancellationToken = default) =>
        Channel.Unary(TestService.UnaryMethod, request, options, cancellationToken);

    public ServerStreamingCall<string> ServerStream(string request, CallOptions options = default, CancellationToken cancellationToken = default) =>
        Channel.ServerStreaming(TestService.ServerMethod, request, options, cancellationToken);

    public ClientStreamingCall<string, string> ClientStream(CallOptions options = default, CancellationToken cancellationToken = default) =>
        Channel.ClientStreaming(TestService.ClientMethod, options, cancellationToken);

    public DuplexStreamingCall<string, string> Duplex(CallOptions options = default, CancellationToken cancellationToken = default) =>
        Channel.DuplexStreaming(TestService.DuplexMethod, options, cancellationToken);

    /// <summary>Serves a connection and gives its other end.</summary>
    public ValueTask<IDuplexPipe> ConnectAsync(CancellationToken cancellationToken = default)
    {
        var pair = new PipePair();
        lock (_pairs)
        {
            _pairs.Add(pair);
            _serving.Add(Task.Run(() => Server.ServeAsync(pair.Server, "pipe"), CancellationToken.None));
        }

        return new ValueTask<IDuplexPipe>(pair.Client);
    }

    /// <summary>Cuts every connection, as a broken cable does.</summary>
    public void Cut()
    {
        lock (_pairs)
        {
            foreach (var pair in _pairs)
            {
                pair.Client.Output.CancelPendingFlush();
                pair.Server.Output.Complete(new IOException("cut"));
                pair.Client.Output.Complete(new IOException("cut"));
            }
        }
    }

    /// <summary>Completes when the server has ended every connection and call.</summary>
    public Task AllServedAsync()
    {
        lock (_pairs)
        {
            return Task.WhenAll(_serving);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await Channel.DisposeAsync().SoonAsync("the channel to be disposed of");
        await AllServedAsync().SoonAsync("the server to end its connections");
        Assert.Equal(Activator.Created, Activator.Released);
        var errors = Log.Errors.ToArray();
        Assert.True(
            errors.Length == ExpectedErrors.Length && errors.Zip(ExpectedErrors).All(pair => pair.First.StartsWith(pair.Second, StringComparison.Ordinal)),
            $"Expected errors: {string.Join("; ", ExpectedErrors)}. Logged: {string.Join("\n", errors)}");
    }
}
