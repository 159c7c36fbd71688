using System.Runtime.CompilerServices;

namespace Weir.Http2.Turns;

/// <summary>Awaits a loop's operations, one at a time, so that what follows each runs in a turn: at once if nothing else is ready there, else behind
/// it. Belongs to its loop, and allocates nothing for each operation.</summary>
internal sealed class TurnAwaiter<T> : TurnItem, ICriticalNotifyCompletion
{
    private readonly Action _begin;
    private ValueTask<T> _operation;
    private Action? _continuation;

    public TurnAwaiter() => _begin = () => Turn.Run(this);

    /// <summary>Whether the loop may go on without a pause.</summary>
    public bool IsCompleted => _operation.IsCompleted && !Turn.HasMore;

    /// <summary>What to await for <paramref name="operation"/>.</summary>
    public TurnAwaiter<T> For(ValueTask<T> operation)
    {
        _operation = operation;
        return this;
    }

    public TurnAwaiter<T> GetAwaiter() => this;

    public T GetResult()
    {
        var operation = _operation;
        _operation = default;
        return operation.GetAwaiter().GetResult();
    }

    public void OnCompleted(Action continuation) => UnsafeOnCompleted(continuation);

    public void UnsafeOnCompleted(Action continuation)
    {
        _continuation = continuation;
        var awaiter = _operation.ConfigureAwait(false).GetAwaiter();
        if (awaiter.IsCompleted)
        {
            Queue();
        }
        else
        {
            awaiter.UnsafeOnCompleted(_begin);
        }
    }

    protected override void Run() => _continuation!();
}
