namespace Weir.Rpc.Channels;

/// <summary>Runs what happens to a channel's connections one thing after the other, in the order in which it was told, without a lock held.
/// Thread-safe; the work must not block.</summary>
internal sealed class SerialWork
{
    private readonly Lock _lock = new();
    private readonly Queue<Action> _queue = []; // under _lock
    private bool _running;                      // under _lock

    /// <summary>Runs the work now if no other runs (on this thread, with all that comes meanwhile), else after what was there before.</summary>
    public void Run(Action work)
    {
        lock (_lock)
        {
            _queue.Enqueue(work);
            if (_running)
            {
                return;
            }

            _running = true;
        }

        while (true)
        {
            Action next;
            lock (_lock)
            {
                if (!_queue.TryDequeue(out next!))
                {
                    _running = false;
                    return;
                }
            }

            next();
        }
    }
}
