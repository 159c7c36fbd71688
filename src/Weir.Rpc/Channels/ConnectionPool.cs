using Microsoft.Extensions.Logging;
using Weir.Http2;

namespace Weir.Rpc.Channels;

/// <summary>
/// The connections of a channel and the calls that wait for one. Connects when a call needs it, one attempt at a time that all waiting calls share;
/// opens a further connection when the others have no free stream; forgets a connection as soon as it takes no new streams.
/// </summary>
internal sealed class ConnectionPool(ServerAddress address, RpcChannelOptions options) : IAsyncDisposable
{
    /// <summary>After a further connection could not be made, how long the channel is content with those it has.</summary>
    private static readonly TimeSpan FurtherConnectionPause = TimeSpan.FromSeconds(1);

    private readonly Lock _lock = new();
    private readonly ILogger _logger = options.LoggerFactory.CreateLogger("Weir.Rpc.Channel");
    private readonly CancellationTokenSource _stop = new();
    private readonly LinkedList<ClientCall> _waiting = [];      // under _lock
    private readonly HashSet<ChannelConnection> _running = [];  // under _lock: those whose loops may still run
    private volatile ChannelConnection[] _usable = [];          // replaced under _lock: those that take new streams
    private volatile int _waitingCount;                         // _waiting.Count, readable without the lock
    private Task? _connecting;                                  // under _lock
    private DateTimeOffset _noFurtherBefore;                    // under _lock
    private Task? _disposal;                                    // under _lock
    private int _pumpRequests;

    /// <summary>Opens a stream for the call, now or when there is a connection with room; the call hears of it, or of the failure. Never throws.</summary>
    public void Start(ClientCall call)
    {
        if (_waitingCount == 0 && TryOpen(call))
        {
            return;
        }

        Status? refusal = null;
        lock (_lock)
        {
            if (_disposal is not null)
            {
                refusal = DisposedStatus;
            }
            else if (_waiting.Count >= options.MaxWaitingCalls)
            {
                refusal = new Status(StatusCode.ResourceExhausted, $"{_waiting.Count} calls wait for a connection already; the limit is {options.MaxWaitingCalls} (MaxWaitingCalls)");
            }
            else
            {
                call.WaitingNode = _waiting.AddLast(call);
            }

            _waitingCount = _waiting.Count;
        }

        if (refusal is { } status)
        {
            call.FailOpening(status);
            return;
        }

        if (call.IsFinished)
        {
            Forget(call);
        }

        Pump();
    }

    /// <summary>Takes a call that has ended out of the queue.</summary>
    public void Forget(ClientCall call)
    {
        lock (_lock)
        {
            if (call.WaitingNode is { } node)
            {
                call.WaitingNode = null;
                _waiting.Remove(node);
                _waitingCount = _waiting.Count;
            }
        }
    }

    /// <summary>Cancels the waiting calls, closes the connections (which ends the open calls) and waits for them.</summary>
    public ValueTask DisposeAsync()
    {
        lock (_lock)
        {
            return new ValueTask(_disposal ??= Task.Run(CloseAllAsync));
        }
    }

    private static Status DisposedStatus => new(StatusCode.Cancelled, "the channel was disposed");

    private async Task CloseAllAsync()
    {
        Task? connecting;
        lock (_lock)
        {
            connecting = _connecting;
        }

        await _stop.CancelAsync().ConfigureAwait(false);
        FailWaiting(DisposedStatus);
        if (connecting is not null)
        {
            await connecting.ConfigureAwait(false);
        }

        ChannelConnection[] running;
        lock (_lock)
        {
            running = [.. _running];
        }

        foreach (var connection in running)
        {
            connection.Http2.Close(Http2ErrorCode.NoError, "the channel was disposed");
        }

        foreach (var connection in running)
        {
            await connection.CloseAsync().ConfigureAwait(false);
        }

        _stop.Dispose();
    }

    private bool TryOpen(ClientCall call)
    {
        foreach (var connection in _usable)
        {
            if (call.TryOpen(connection))
            {
                connection.HasServed = true;
                return true;
            }
        }

        return false;
    }

    /// <summary>Serves the queue, first come first served. One thread at a time does; a request that comes meanwhile is done by it too.</summary>
    private void Pump()
    {
        if (Interlocked.Increment(ref _pumpRequests) != 1)
        {
            return;
        }

        int seen;
        do
        {
            seen = Volatile.Read(ref _pumpRequests);
            while (ServeFirst())
            {
            }
        }
        while (Interlocked.Add(ref _pumpRequests, -seen) != 0);
    }

    /// <summary>Opens the first call's stream. False when there is no call, or no stream for it.</summary>
    private bool ServeFirst()
    {
        ClientCall call;
        lock (_lock)
        {
            if (_waiting.First is not { } first)
            {
                return false;
            }

            // Out of the queue before it is opened: an opened call may be refused, and queue again, at once.
            call = first.Value;
            _waiting.RemoveFirst();
            call.WaitingNode = null;
            _waitingCount = _waiting.Count;
        }

        if (TryOpen(call))
        {
            return true;
        }

        bool disposed;
        lock (_lock)
        {
            disposed = _disposal is not null;
            call.WaitingNode = disposed ? null : _waiting.AddFirst(call);
            _waitingCount = _waiting.Count;
        }

        if (disposed)
        {
            call.FailOpening(DisposedStatus);
            return true;
        }

        if (call.IsFinished)
        {
            Forget(call);
            return true;
        }

        ConnectIfAllowed();
        return false;
    }

    private void ConnectIfAllowed()
    {
        lock (_lock)
        {
            var isFurther = _usable.Length > 0;
            if (_connecting is null && _disposal is null && _usable.Length < options.MaxConnections
                && !(isFurther && options.TimeProvider.GetUtcNow() < _noFurtherBefore))
            {
                _connecting = Task.Run(ConnectAsync);
            }
        }
    }

    private async Task ConnectAsync()
    {
        try
        {
            var connection = await ChannelConnection.OpenAsync(address, options, _stop.Token).ConfigureAwait(false);
            RpcLog.Connected(_logger, address.Display);
            connection.Http2.StreamSlotFreed += Pump; // before any call can use the connection
            lock (_lock)
            {
                _running.Add(connection);
                _usable = [.. _usable, connection];
                _connecting = null;
            }

            WatchEnd(connection);
        }
        catch (Exception error) // whatever a transport throws is why the waiting calls fail
        {
            FailConnecting(error);
        }

        Pump();
    }

    private void WatchEnd(ChannelConnection connection)
    {
        connection.Http2.Draining.UnsafeRegister(
            static state =>
            {
                var (pool, drained) = ((ConnectionPool, ChannelConnection))state!;
                pool.Retire(drained);
            },
            (this, connection));
        connection.Completion.ContinueWith(
            _ => Ended(connection), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
    }

    private void Retire(ChannelConnection connection)
    {
        bool isFutile;
        lock (_lock)
        {
            var others = _usable.Where(other => other != connection).ToArray();
            isFutile = others.Length < _usable.Length && !connection.HasServed && !others.Any(other => other.HasServed);
            _usable = others;
        }

        // A server that ends each connection before its first call would otherwise be connected to over and over.
        if (isFutile)
        {
            FailWaiting(new Status(StatusCode.Unavailable, $"the connection to {address.Display} took no call: {connection.Http2.CloseReason ?? "the server is going away"}"));
        }

        Pump();
    }

    private void Ended(ChannelConnection connection)
    {
        RpcLog.ChannelConnectionEnded(_logger, address.Display, connection.Http2.CloseReason);
        lock (_lock)
        {
            _running.Remove(connection);
        }

        Retire(connection);
    }

    private void FailConnecting(Exception error)
    {
        var reason = error.Message;
        RpcLog.ConnectFailed(_logger, address.Display, reason);
        bool hasOther;
        lock (_lock)
        {
            _connecting = null;
            hasOther = _usable.Length > 0;
            _noFurtherBefore = options.TimeProvider.GetUtcNow() + FurtherConnectionPause;
        }

        if (!hasOther) // else the calls go on waiting for a stream of the others
        {
            FailWaiting(_stop.IsCancellationRequested ? DisposedStatus : new Status(StatusCode.Unavailable, $"cannot connect to {address.Display}: {reason}"));
        }
    }

    private void FailWaiting(Status status)
    {
        ClientCall[] calls;
        lock (_lock)
        {
            calls = [.. _waiting];
            foreach (var call in calls)
            {
                call.WaitingNode = null;
            }

            _waiting.Clear();
            _waitingCount = 0;
        }

        foreach (var call in calls)
        {
            call.FailOpening(status);
        }
    }
}
