namespace Weir.Rpc.Serving;

/// <summary>The tasks that a call has started: the call ends after them. Safe for use by any number of threads.</summary>
internal sealed class CallTasks(Action onFailed)
{
    private readonly Lock _lock = new();
    private int _running;                 // under _lock
    private bool _closed;                 // under _lock
    private TaskCompletionSource? _ended; // under _lock: there while WaitAsync waits

    /// <summary>The exception of the first task that failed, or null. Final once <see cref="WaitAsync"/> has completed.</summary>
    public Exception? Failure { get; private set; }

    /// <summary>Starts a task on the thread pool. False when the set is closed.</summary>
    public bool TryRun(Func<CancellationToken, Task> work, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            if (_closed)
            {
                return false;
            }

            _running++;
        }

        _ = RunAsync(work, cancellationToken); // never fails; WaitAsync awaits it by its count
        return true;
    }

    /// <summary>Completes when no task is running, and closes the set: none can be started any more.</summary>
    public async Task WaitAsync()
    {
        while (true)
        {
            Task ended;
            lock (_lock)
            {
                if (_running == 0)
                {
                    _closed = true;
                    return;
                }

                _ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                ended = _ended.Task;
            }

            await ended.ConfigureAwait(false);
        }
    }

    private async Task RunAsync(Func<CancellationToken, Task> work, CancellationToken cancellationToken)
    {
        Exception? failure = null;
        try
        {
            await Task.Run(() => work(cancellationToken), CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception error) // it becomes the call's status
        {
            failure = error;
        }

        if (failure is not null && KeepFirst(failure))
        {
            onFailed();
        }

        lock (_lock)
        {
            if (--_running == 0)
            {
                _ended?.TrySetResult();
            }
        }
    }

    private bool KeepFirst(Exception failure)
    {
        lock (_lock)
        {
            if (Failure is not null)
            {
                return false;
            }

            Failure = failure;
            return true;
        }
    }
}
