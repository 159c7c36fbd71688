namespace Weir.Http2;

/// <summary>Finds out whether the peer is still there (gRFC A8 and A9): when nothing has come from it for a while it is sent a PING, and when nothing comes
/// after that either the connection is lost. The read loop only counts its reads; a timer looks at the count. Thread-safe.</summary>
internal sealed class KeepAlive : IDisposable
{
    /// <summary>The opaque data of these PINGs.</summary>
    public const long Ping = long.MinValue + 1;

    /// <summary>What a server says to a client that sends too many PINGs (gRFC A8).</summary>
    public const string TooManyPings = "too_many_pings";

    private static readonly TimeSpan ServerTime = TimeSpan.FromHours(2);
    private static readonly TimeSpan LeastClientTime = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan LongestTime = TimeSpan.FromDays(24); // however often a server says it

    // Looks for each time: so much later, in the worst case, a PING is sent.
    private const int LooksPerTime = 8;

    private readonly Http2Connection _connection;
    private readonly Http2Options _options;
    private readonly Lock _lock = new();
    private ITimer? _timer;      // under _lock
    private TimeSpan _time;      // under _lock; written by the read loop
    private int _reads;          // written by the read loop
    private int _readsSeen;      // the timer's
    private long _quietSince;    // the timer's
    private long? _pingSentAt;   // the timer's

    public KeepAlive(Http2Connection connection, Http2Options options, TimeSpan? time)
    {
        (_connection, _options) = (connection, options);
        _time = time ?? options.KeepAliveTime ?? (connection.IsServer ? ServerTime : Timeout.InfiniteTimeSpan);
        if (!connection.IsServer && IsOn && _time < LeastClientTime)
        {
            _time = LeastClientTime;
        }
    }

    /// <summary>How long nothing may come before a PING is sent; infinite: for ever.</summary>
    public TimeSpan Time
    {
        get
        {
            lock (_lock)
            {
                return _time;
            }
        }
    }

    private bool IsOn => _time != Timeout.InfiniteTimeSpan;

    public void Start()
    {
        lock (_lock)
        {
            if (IsOn)
            {
                _quietSince = _options.TimeProvider.GetTimestamp();
                _timer = _options.TimeProvider.CreateTimer(static state => ((KeepAlive)state!).Look(), this, _time / LooksPerTime, Timeout.InfiniteTimeSpan);
            }
        }
    }

    /// <summary>Something came from the peer. Called by the read loop.</summary>
    public void CountRead() => Volatile.Write(ref _reads, _reads + 1);

    /// <summary>The server has had too many PINGs: there are half as many from now on. What is to be told of it, or nothing.</summary>
    public string SlowDown()
    {
        lock (_lock)
        {
            if (!IsOn)
            {
                return "";
            }

            _time = _time * 2 < LongestTime ? _time * 2 : LongestTime;
            return $" The keepalive time is {_time.TotalSeconds:0.###} s from now on.";
        }
    }

    public void Dispose()
    {
        lock (_lock)
        {
            _timer?.Dispose();
            _timer = null;
        }
    }

    private void Look()
    {
        var time = Time;
        var step = time / LooksPerTime;
        var now = _options.TimeProvider.GetTimestamp();
        var reads = Volatile.Read(ref _reads);
        if (reads != _readsSeen)
        {
            (_readsSeen, _quietSince, _pingSentAt) = (reads, now, null);
            LookAgainIn(step);
        }
        else if (_pingSentAt is { } sentAt)
        {
            var left = _options.KeepAliveTimeout - _options.TimeProvider.GetElapsedTime(sentAt, now);
            if (left <= TimeSpan.Zero)
            {
                _connection.Lose($"The peer did not answer a keepalive PING within {_options.KeepAliveTimeout.TotalSeconds:0.###} s (KeepAliveTimeout).");
                return;
            }

            LookAgainIn(left < step ? left : step);
        }
        else
        {
            var left = time - _options.TimeProvider.GetElapsedTime(_quietSince, now);
            if (left > TimeSpan.Zero)
            {
                LookAgainIn(left < step ? left : step);
            }
            else if (!_connection.IsServer && !_options.KeepAliveWithoutStreams && _connection.IsIdle())
            {
                LookAgainIn(step); // a stream that opens brings the PING that is due
            }
            else
            {
                _pingSentAt = now;
                _connection.SendPing(Ping);
                LookAgainIn(_options.KeepAliveTimeout < step ? _options.KeepAliveTimeout : step);
            }
        }
    }

    private void LookAgainIn(TimeSpan due)
    {
        lock (_lock)
        {
            _timer?.Change(due, Timeout.InfiniteTimeSpan);
        }
    }
}
