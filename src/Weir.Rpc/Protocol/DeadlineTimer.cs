namespace Weir.Rpc.Protocol;

/// <summary>A timer for one instant, however far away it is.</summary>
internal sealed class DeadlineTimer : IDisposable
{
    /// <summary>The longest single wait: what every timer takes, about 24 days.</summary>
    private static readonly TimeSpan LongestWait = TimeSpan.FromMilliseconds(int.MaxValue);

    private readonly TimeProvider _time;
    private readonly DateTimeOffset _deadline;
    private readonly Action<object> _callback;
    private readonly object _state;
    private readonly ITimer _timer;

    private DeadlineTimer(TimeProvider time, DateTimeOffset deadline, Action<object> callback, object state)
    {
        _time = time;
        _deadline = deadline;
        _callback = callback;
        _state = state;
        _timer = time.CreateTimer(static self => ((DeadlineTimer)self!).OnTimer(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Runs <paramref name="callback"/> once, on a pool thread, when the deadline has passed, unless the timer is disposed of before.</summary>
    public static DeadlineTimer Start(TimeProvider time, DateTimeOffset deadline, Action<object> callback, object state)
    {
        var timer = new DeadlineTimer(time, deadline, callback, state);
        timer.Arm();
        return timer;
    }

    /// <inheritdoc/>
    public void Dispose() => _timer.Dispose();

    private void OnTimer()
    {
        if (_time.GetUtcNow() >= _deadline)
        {
            _callback(_state);
        }
        else
        {
            Arm(); // a part of a long wait is over, or the clock was set back
        }
    }

    private void Arm()
    {
        // Rounded up to whole milliseconds, which is what timers count: never early.
        var rest = TimeSpan.FromMilliseconds(Math.Ceiling((_deadline - _time.GetUtcNow()).TotalMilliseconds));
        _timer.Change(rest < TimeSpan.Zero ? TimeSpan.Zero : rest < LongestWait ? rest : LongestWait, Timeout.InfiniteTimeSpan);
    }
}
