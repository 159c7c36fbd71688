namespace Weir.Rpc.Channels;

/// <summary>The tasks that a channel has started and must wait for before it has ended. Thread-safe.</summary>
internal sealed class RunningTasks
{
    private readonly Lock _lock = new();
    private readonly HashSet<Task> _tasks = []; // under _lock

    /// <summary>Remembers a task, which must not fail, until it has ended.</summary>
    public void Add(Task task)
    {
        lock (_lock)
        {
            _tasks.Add(task);
        }

        task.ContinueWith(Remove, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
    }

    /// <summary>Starts a task, which must not fail, and remembers it. The channel outlives the call that happens to start it: nothing of that call's flow goes along.</summary>
    public void Run(Func<Task> work)
    {
        using (ExecutionContext.IsFlowSuppressed() ? default(AsyncFlowControl?) : ExecutionContext.SuppressFlow())
        {
            Add(Task.Run(work, CancellationToken.None));
        }
    }

    /// <summary>Waits until none is left, those that are added meanwhile included.</summary>
    public async Task WhenNoneAsync()
    {
        while (true)
        {
            Task[] left;
            lock (_lock)
            {
                left = [.. _tasks];
            }

            if (left.Length == 0)
            {
                return;
            }

            await Task.WhenAll(left).ConfigureAwait(false);
        }
    }

    private void Remove(Task task)
    {
        lock (_lock)
        {
            _tasks.Remove(task);
        }
    }
}
