using System.IO.Pipelines;
using Microsoft.Extensions.Logging;
using Weir.Rpc.Compression;
using Weir.Rpc.Serving;

namespace Weir.Rpc;

/// <summary>Serves gRPC over connections that somebody else accepts: finds the method, runs the handler, sends the status.
/// Safe for use by any number of threads; services are added before the first connection.</summary>
public sealed class RpcServer
{
    private readonly Lock _lock = new();
    private readonly HashSet<ServerConnection> _connections = []; // under _lock
    private readonly MethodTable _methods = new();
    private bool _started;                                        // under _lock
    private bool _draining;                                       // under _lock

    /// <summary>Creates a server without services.</summary>
    public RpcServer(RpcServerOptions? options = null)
    {
        Options = options ?? new RpcServerOptions();
        Compressions = new CompressionSet(Options.AcceptedCompressions);
        Logger = Options.LoggerFactory.CreateLogger("Weir.Rpc.Server");
    }

    /// <summary>The server's settings.</summary>
    internal RpcServerOptions Options { get; }

    /// <summary>What requests may be compressed with.</summary>
    internal CompressionSet Compressions { get; }

    /// <summary>Where the server logs.</summary>
    internal ILogger Logger { get; }

    /// <summary>Adds a service, before the first connection.</summary>
    /// <exception cref="InvalidOperationException">One of its methods' paths is taken, or a connection was served already.</exception>
    public void AddService<TService>(IServiceActivator<TService> activator)
        where TService : class, IRpcService => AddService(activator, []);

    /// <summary>Adds a service with interceptors of its own, before the first connection. They come after the server's (<see cref="RpcServerOptions.Interceptors"/>);
    /// the first is the outermost.</summary>
    /// <exception cref="InvalidOperationException">One of its methods' paths is taken, or a connection was served already.</exception>
    public void AddService<TService>(IServiceActivator<TService> activator, IEnumerable<ServerInterceptor> interceptors)
        where TService : class, IRpcService
    {
        ArgumentNullException.ThrowIfNull(activator);
        ArgumentNullException.ThrowIfNull(interceptors);
        ServerInterceptor[] all = [.. Options.Interceptors, .. interceptors];
        lock (_lock)
        {
            if (_started)
            {
                throw new InvalidOperationException($"{typeof(TService).Name} cannot be added: the server has served a connection already.");
            }

            TService.Bind(new MethodBinder<TService>(_methods, activator, all.Length == 0 ? null : all));
        }
    }

    /// <summary>Serves one connection until it has ended and all its calls have ended. Does not fail when the connection does.</summary>
    /// <param name="transport">The connection, from its first octet; both its ends are completed when this task is.</param>
    /// <param name="peer">The client's address, as calls will show it: "127.0.0.1:51234" or "unix".</param>
    /// <param name="abort">Closes the connection and cancels its calls.</param>
    public Task ServeAsync(IDuplexPipe transport, string peer, CancellationToken abort = default) => ServeAsync(transport, peer, clientIdentity: null, abort);

    /// <summary>Serves one connection until it has ended and all its calls have ended. Does not fail when the connection does.</summary>
    /// <param name="transport">The connection, from its first octet; both its ends are completed when this task is.</param>
    /// <param name="peer">The client's address, as calls will show it: "127.0.0.1:51234" or "unix".</param>
    /// <param name="clientIdentity">Who the client showed itself to be, as calls will show it; null when it showed nothing.</param>
    /// <param name="abort">Closes the connection and cancels its calls.</param>
    public async Task ServeAsync(IDuplexPipe transport, string peer, ClientIdentity? clientIdentity, CancellationToken abort = default)
    {
        ArgumentNullException.ThrowIfNull(transport);
        ArgumentNullException.ThrowIfNull(peer);
        var connection = new ServerConnection(this, _methods, transport, peer, clientIdentity);
        if (!TryAdd(connection))
        {
            await transport.Output.CompleteAsync().ConfigureAwait(false);
            await transport.Input.CompleteAsync().ConfigureAwait(false);
            return;
        }

        try
        {
            connection.Start(); // not under the lock: a transport that has data at once is read at once
            using (abort.UnsafeRegister(static state => ((ServerConnection)state!).Abort("the connection was aborted"), connection))
            {
                await connection.Completion.ConfigureAwait(false);
            }
        }
        finally
        {
            Remove(connection);
        }
    }

    /// <summary>Starts the graceful end: GOAWAY on every connection, Draining on every call. New connections are refused. Returns at once.</summary>
    public void BeginDrain()
    {
        ServerConnection[] connections;
        lock (_lock)
        {
            if (_draining)
            {
                return;
            }

            _started = _draining = true;
            connections = [.. _connections];
        }

        foreach (var connection in connections)
        {
            connection.BeginDrain();
        }
    }

    /// <summary>Cancels every call that is still open and closes every connection. New connections are refused. Returns at once.</summary>
    public void Abort()
    {
        BeginDrain();
        ServerConnection[] connections;
        lock (_lock)
        {
            connections = [.. _connections];
        }

        foreach (var connection in connections)
        {
            connection.Abort("the server is stopping");
        }
    }

    private bool TryAdd(ServerConnection connection)
    {
        lock (_lock)
        {
            if (_draining)
            {
                return false;
            }

            _started = true;
            _connections.Add(connection);
            return true;
        }
    }

    private void Remove(ServerConnection connection)
    {
        lock (_lock)
        {
            _connections.Remove(connection);
        }
    }
}
