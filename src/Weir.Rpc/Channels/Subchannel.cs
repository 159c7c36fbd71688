using Weir.Http2;

namespace Weir.Rpc.Channels;

/// <summary>A channel's side of one address: its connections (more than one when the server's limit of streams was reached), the attempt to make one, and
/// the pause after an attempt that failed. Everything but the calls' view happens on the channel's <see cref="SerialWork"/>.</summary>
internal sealed class Subchannel
{
    private readonly Connectivity _owner;
    private readonly RpcChannelOptions _options;
    private readonly ConnectBackoff _backoff;
    private volatile ChannelConnection[] _connections = [];
    private CancellationTokenSource? _attempt;
    private ITimer? _pauseTimer;
    private int _pauseNumber;  // tells a timer that is too late from the present one
    private TimeSpan _pause;   // of the last attempt, from its start
    private long _startedAt;   // of the last attempt
    private bool _failedLast;  // the next pause grows
    private bool _futileLast;  // the last connection took no call
    private bool _furtherFailed;

    public Subchannel(Connectivity owner, RpcAddress address)
    {
        _owner = owner;
        _options = owner.Core.Options;
        _backoff = new ConnectBackoff(_options.Backoff, Random.Shared.NextDouble);
        Address = address;
        Server = new ReadyServer(this);
    }

    /// <summary>The address.</summary>
    public RpcAddress Address { get; }

    /// <summary>What policies see.</summary>
    public ReadyServer Server { get; }

    /// <summary>Idle, Connecting, Ready, TransientFailure (until the pause is over) or Shutdown.</summary>
    public ConnectivityState State { get; private set; }

    /// <summary>Why the last attempt failed; empty before one has.</summary>
    public string Error { get; private set; } = "";

    /// <summary>The connections that take new streams. Read by calls.</summary>
    public ChannelConnection[] Connections => _connections;

    private TimeProvider Time => _options.TimeProvider;

    /// <summary>Open calls on all connections. Called by any thread.</summary>
    public int CountActiveCalls()
    {
        var count = 0;
        foreach (var connection in _connections)
        {
            count += connection.Http2.ActiveStreams;
        }

        return count;
    }

    /// <summary>Starts to connect if it is idle.</summary>
    public void Connect()
    {
        if (State == ConnectivityState.Idle)
        {
            StartAttempt();
            Change(ConnectivityState.Connecting);
        }
    }

    /// <summary>Opens a further connection if all have as many streams as the server lets them have (gRFC A105).</summary>
    public void Expand()
    {
        if (State != ConnectivityState.Ready || _attempt is not null || _connections.Length >= _options.MaxConnections
            || !_connections.All(connection => connection.Http2.ActiveStreams >= connection.Http2.PeerMaxConcurrentStreams)
            || (_furtherFailed && Time.GetElapsedTime(_startedAt) < _pause))
        {
            return;
        }

        StartAttempt();
    }

    /// <summary>The next pause is the first one again, and one that goes on is over.</summary>
    public void ResetBackoff()
    {
        _failedLast = _furtherFailed = false;
        if (State == ConnectivityState.TransientFailure)
        {
            EndPause();
        }
    }

    /// <summary>Gives up connecting; open calls go on to their end.</summary>
    public void Shutdown()
    {
        if (State == ConnectivityState.Shutdown)
        {
            return;
        }

        State = ConnectivityState.Shutdown;
        _attempt?.Cancel();
        _pauseTimer?.Dispose();
        foreach (var connection in _connections)
        {
            connection.Http2.BeginDrain();
        }

        _connections = [];
    }

    private void StartAttempt()
    {
        if (!_failedLast)
        {
            _backoff.Reset();
        }

        _pause = _backoff.Next();
        _startedAt = Time.GetTimestamp();
        _attempt = CancellationTokenSource.CreateLinkedTokenSource(_owner.Stopping);
        var (limit, stop) = (_pause > _options.ConnectTimeout ? _pause : _options.ConnectTimeout, _attempt);
        _owner.Tasks.Run(() => AttemptAsync(limit, stop));
    }

    private async Task AttemptAsync(TimeSpan limit, CancellationTokenSource stop)
    {
        try
        {
            var connection = await ChannelConnection.OpenAsync(Address, _owner.Core, limit, _owner.KeepAliveTime, stop.Token).ConfigureAwait(false);
            _owner.Work.Run(() => Opened(connection));
        }
        catch (Exception error) // whatever a transport throws is why the attempt failed
        {
            _owner.Work.Run(() => Failed(error.Message));
        }
    }

    private void Opened(ChannelConnection connection)
    {
        EndAttempt();
        _owner.Opened(connection);
        if (State == ConnectivityState.Shutdown)
        {
            connection.Http2.Close(Http2ErrorCode.NoError, "the connection is not needed any more");
            return;
        }

        if (_connections.Length > 0)
        {
            _failedLast = _furtherFailed = false;
        }

        _connections = [.. _connections, connection];
        connection.Http2.StreamSlotFreed += _owner.Core.Pool.Pump; // before any call can use the connection
        connection.Http2.Draining.UnsafeRegister(_ => _owner.Work.Run(() => Retire(connection)), null);
        Change(ConnectivityState.Ready);
    }

    private void Failed(string reason)
    {
        EndAttempt();
        if (State == ConnectivityState.Shutdown)
        {
            return;
        }

        _owner.LogFailure(this, reason);
        _failedLast = true;
        if (_connections.Length > 0)
        {
            _furtherFailed = true; // the calls go on waiting for a stream of the others
            return;
        }

        Fail(reason);
    }

    private void Retire(ChannelConnection connection)
    {
        if (!_connections.Contains(connection))
        {
            return;
        }

        _connections = [.. _connections.Where(other => other != connection)];
        _owner.LearnKeepAliveTime(connection.Http2.KeepAliveTime);

        // A server that ends each connection before its first call would otherwise be connected to over and over: after the second there is a pause.
        var wasFutile = _futileLast;
        _failedLast = _futileLast = !connection.HasServed && Time.GetElapsedTime(_startedAt) < _pause;
        if (_connections.Length > 0)
        {
            Change(ConnectivityState.Ready);
        }
        else if (wasFutile && _futileLast && _attempt is null)
        {
            Fail($"the connection took no call: {connection.Http2.CloseReason ?? "the server is going away"}");
        }
        else
        {
            Change(_attempt is null ? ConnectivityState.Idle : ConnectivityState.Connecting);
        }
    }

    private void Fail(string reason)
    {
        Error = _owner.IsNamedBy(Address) ? reason : $"{reason} ({Address})";
        var left = _pause - Time.GetElapsedTime(_startedAt);
        _pauseTimer?.Dispose();
        var number = ++_pauseNumber;
        _pauseTimer = Time.CreateTimer(
            _ => _owner.Work.Run(() => OnPauseOver(number)), null, left > TimeSpan.Zero ? left : TimeSpan.Zero, Timeout.InfiniteTimeSpan);
        Change(ConnectivityState.TransientFailure);
    }

    // Not by the clock: a timer may be a part of a millisecond early.
    private void OnPauseOver(int number)
    {
        if (State == ConnectivityState.TransientFailure && number == _pauseNumber)
        {
            EndPause();
        }
    }

    private void EndPause()
    {
        _pauseTimer?.Dispose();
        _pauseTimer = null;
        Change(ConnectivityState.Idle);
    }

    private void EndAttempt()
    {
        _attempt?.Dispose();
        _attempt = null;
    }

    private void Change(ConnectivityState state)
    {
        State = state;
        _owner.OnSubchannelChanged(this);
    }
}
