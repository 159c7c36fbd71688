using System.Threading.Tasks.Sources;
using Weir.Http2.Turns;

namespace Weir.Http2.Transport.Polling;

/// <summary>Whether one direction of a socket may be tried again: told by the poller, awaited by the one who uses that direction.</summary>
internal sealed class Readiness : TurnItem, IValueTaskSource
{
    private const int Unknown = 0;
    private const int Ready = 1;
    private const int Waiting = 2;

    private ManualResetValueTaskSourceCore<bool> _wait; // completed in Run
    private int _state;

    /// <summary>Says that there was a change. True when somebody waits for it: the item is to be run.</summary>
    public bool Signal()
    {
        while (true)
        {
            if (Interlocked.CompareExchange(ref _state, Unknown, Waiting) == Waiting)
            {
                return true;
            }

            if (Interlocked.CompareExchange(ref _state, Ready, Unknown) != Waiting)
            {
                return false;
            }
        }
    }

    /// <summary>Waits for the next change, or not at all when there was one since the last wait.</summary>
    public ValueTask WaitAsync()
    {
        _wait.Reset();
        if (Interlocked.CompareExchange(ref _state, Waiting, Unknown) == Unknown)
        {
            return new ValueTask(this, _wait.Version);
        }

        Volatile.Write(ref _state, Unknown);
        return default;
    }

    protected override void Run() => _wait.SetResult(true);

    void IValueTaskSource.GetResult(short token) => _wait.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource.GetStatus(short token) => _wait.GetStatus(token);

    void IValueTaskSource.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _wait.OnCompleted(continuation, state, token, flags);
}
