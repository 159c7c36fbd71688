using System.Threading.Tasks.Sources;

namespace Weir.Http2;

/// <summary>Wakes the flush loop when it is idle. The wake goes through the pool's shared queue, behind the work that is ready now,
/// so that what this work sends leaves in the same write.</summary>
internal sealed class FlushSignal : IValueTaskSource, IThreadPoolWorkItem
{
    private ManualResetValueTaskSourceCore<bool> _core;

    /// <summary>Awaits the next <see cref="Set"/>; one waiter.</summary>
    public ValueTask WaitAsync() => new(this, _core.Version);

    /// <summary>Ends one wait. Whoever took the loop's idle mark under the connection's lock calls it, once for each wait.</summary>
    public void Set() => ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);

    void IThreadPoolWorkItem.Execute() => _core.SetResult(true);

    void IValueTaskSource.GetResult(short token)
    {
        _core.GetResult(token);
        _core.Reset();
    }

    ValueTaskSourceStatus IValueTaskSource.GetStatus(short token) => _core.GetStatus(token);

    void IValueTaskSource.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _core.OnCompleted(continuation, state, token, flags);
}
