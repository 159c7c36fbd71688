using System.Threading.Channels;
using Microsoft.Extensions.Time.Testing;

namespace Weir.Rpc.Tests.Support;

/// <summary>A clock that the test moves, and that tells which timers are started: the test moves it when what waits has begun to wait.</summary>
internal sealed class TimeWithTimers : FakeTimeProvider
{
    private readonly Channel<TimeSpan> _started = Channel.CreateUnbounded<TimeSpan>();

    /// <summary>Forgets the timers that were started before.</summary>
    public void ForgetTimers()
    {
        while (_started.Reader.TryRead(out _))
        {
        }
    }

    /// <summary>When the next timer that is started is due, from then on.</summary>
    public Task<TimeSpan> NextTimerAsync() => _started.Reader.ReadAsync().SoonAsync("a timer to be started");

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = base.CreateTimer(callback, state, dueTime, period);
        _started.Writer.TryWrite(dueTime);
        return timer;
    }
}
