using System.Runtime.CompilerServices;

namespace Weir.Rpc.Protocol;

/// <summary>
/// Watches that no wait of one direction of a call takes too long. One timer a call, which is set only while somebody waits and looks, when it fires, since
/// when: a wait costs no timer and no allocation. Safe for use by any number of threads.
/// </summary>
internal sealed class MessageWatch
{
    private readonly Lock _lock = new();
    private readonly TimeProvider _time;
    private readonly TimeSpan _limit;
    private readonly Action _onExpired;
    private readonly ITimer _timer;
    private long _since;     // under _lock: when the first of those that wait began, or one of them was done
    private int _waiting;    // under _lock
    private bool _isRunning; // under _lock: the timer

    /// <summary>Watches with a limit; <paramref name="onExpired"/> is called on a pool thread when it has passed.</summary>
    public MessageWatch(TimeProvider time, TimeSpan limit, Action onExpired)
    {
        _time = time;
        _limit = limit;
        _onExpired = onExpired;
        _timer = time.CreateTimer(static watch => ((MessageWatch)watch!).OnTimer(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>A watch for a limit, or null for none.</summary>
    public static MessageWatch? Create(TimeProvider time, TimeSpan? limit, Action onExpired) =>
        limit is { } span ? new MessageWatch(time, span, onExpired) : null;

    /// <summary>The same step, watched.</summary>
    public ValueTask<bool> WatchAsync(ValueTask<bool> step) => step.IsCompleted ? step : AwaitAsync(step);

    /// <summary>The same step, watched.</summary>
    public ValueTask WatchAsync(ValueTask step) => step.IsCompleted ? step : AwaitAsync(step);

    /// <summary>A wait begins.</summary>
    public void Begin()
    {
        lock (_lock)
        {
            if (_waiting++ == 0)
            {
                _since = _time.GetTimestamp();
            }

            if (!_isRunning)
            {
                _isRunning = true;
                _timer.Change(_limit, Timeout.InfiniteTimeSpan);
            }
        }
    }

    /// <summary>A wait is over.</summary>
    public void End()
    {
        lock (_lock)
        {
            _waiting--;
            _since = _time.GetTimestamp();
        }
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<bool> AwaitAsync(ValueTask<bool> step)
    {
        Begin();
        try
        {
            return await step.ConfigureAwait(false);
        }
        finally
        {
            End();
        }
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask AwaitAsync(ValueTask step)
    {
        Begin();
        try
        {
            await step.ConfigureAwait(false);
        }
        finally
        {
            End();
        }
    }

    private void OnTimer()
    {
        lock (_lock)
        {
            var left = _limit - _time.GetElapsedTime(_since);
            if (_waiting == 0)
            {
                _isRunning = false;
                return;
            }

            if (left > TimeSpan.Zero)
            {
                _timer.Change(left, Timeout.InfiniteTimeSpan);
                return;
            }
        }

        _onExpired();
    }
}
