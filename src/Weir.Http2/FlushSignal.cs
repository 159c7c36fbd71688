using System.Threading.Tasks.Sources;
using Weir.Http2.Turns;

namespace Weir.Http2;

/// <summary>Wakes the flush loop when it is idle: behind the work that is ready now, so that what this work sends leaves in the same write.</summary>
internal sealed class FlushSignal : TurnItem, IValueTaskSource
{
    private ManualResetValueTaskSourceCore<bool> _core;

    /// <summary>Awaits the next <see cref="TurnItem.Queue"/>, which whoever took the loop's idle mark under the connection's lock calls, once for each
    /// wait; one waiter.</summary>
    public ValueTask WaitAsync() => new(this, _core.Version);

    protected override void Run() => _core.SetResult(true);

    void IValueTaskSource.GetResult(short token)
    {
        _core.GetResult(token);
        _core.Reset();
    }

    ValueTaskSourceStatus IValueTaskSource.GetStatus(short token) => _core.GetStatus(token);

    void IValueTaskSource.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _core.OnCompleted(continuation, state, token, flags);
}
