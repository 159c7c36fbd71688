namespace Weir.AspNetCore;

/// <summary>Counts the connections that Weir serves. Safe for use by any number of threads.</summary>
internal sealed class OpenConnections
{
    private readonly Lock _lock = new();
    private TaskCompletionSource? _none; // owned by _lock; set while somebody waits
    private int _count; // owned by _lock

    public int Count
    {
        get
        {
            lock (_lock)
                return _count;
        }
    }

    /// <summary>Counts one connection until the result is disposed, once.</summary>
    public Visit Enter()
    {
        lock (_lock)
            _count++;
        return new Visit(this);
    }

    /// <summary>Completes when no connection is open.</summary>
    public Task WhenNone()
    {
        lock (_lock)
        {
            if (_count == 0)
                return Task.CompletedTask;
            _none ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return _none.Task;
        }
    }

    private void Leave()
    {
        lock (_lock)
        {
            if (--_count > 0)
                return;
            _none?.SetResult();
            _none = null;
        }
    }

    internal readonly struct Visit(OpenConnections owner) : IDisposable
    {
        public void Dispose() => owner.Leave();
    }
}
