namespace Weir.Http2;

/// <summary>A connection's three timeouts on one timer: the peer's SETTINGS, its acknowledgement of ours, and idleness. Thread-safe.</summary>
internal sealed class ConnectionClock(Http2Connection connection, Http2Options options) : IDisposable
{
    private readonly TimeProvider _time = options.TimeProvider;
    private readonly Lock _lock = new();
    private ITimer? _timer;
    private long _startedAt;
    private long _idleSince;
    private bool _peerIsReady;
    private bool _acknowledged;

    /// <summary>How long ago the last stream ended, or the connection started; of meaning while no stream is open.</summary>
    public TimeSpan IdleTime => _time.GetElapsedTime(Volatile.Read(ref _idleSince));

    public void Start()
    {
        lock (_lock)
        {
            _startedAt = _idleSince = _time.GetTimestamp();
            _timer = _time.CreateTimer(static state => ((ConnectionClock)state!).OnDue(), this, options.HandshakeTimeout, Timeout.InfiniteTimeSpan);
        }
    }

    public void PeerIsReady() => Volatile.Write(ref _peerIsReady, true);

    /// <summary>The handshake is over: from now on only idleness counts.</summary>
    public void SettingsAcknowledged()
    {
        Volatile.Write(ref _acknowledged, true);
        Arm(options.IdleTimeout);
    }

    /// <summary>The last stream has ended.</summary>
    public void BecomeIdle() => Volatile.Write(ref _idleSince, _time.GetTimestamp());

    public void Dispose()
    {
        lock (_lock)
        {
            _timer?.Dispose();
            _timer = null;
        }
    }

    private void OnDue()
    {
        var sinceStart = _time.GetElapsedTime(_startedAt);
        if (!Volatile.Read(ref _peerIsReady) || !Volatile.Read(ref _acknowledged))
        {
            if (sinceStart >= options.HandshakeTimeout)
            {
                connection.Close(
                    Http2ErrorCode.SettingsTimeout,
                    $"The peer did not {(_peerIsReady ? "acknowledge" : "send")} SETTINGS within {options.HandshakeTimeout.TotalSeconds:0.###} s (HandshakeTimeout).");
                return;
            }

            Arm(options.HandshakeTimeout - sinceStart);
            return;
        }

        if (options.IdleTimeout == Timeout.InfiniteTimeSpan)
        {
            return;
        }

        var left = connection.IsIdle() ? options.IdleTimeout - IdleTime : options.IdleTimeout;
        if (left <= TimeSpan.Zero)
        {
            connection.Close(Http2ErrorCode.NoError, $"No stream was open for {options.IdleTimeout.TotalSeconds:0.###} s (IdleTimeout).");
            return;
        }

        Arm(left);
    }

    private void Arm(TimeSpan due)
    {
        lock (_lock)
        {
            _timer?.Change(due, Timeout.InfiniteTimeSpan);
        }
    }
}
