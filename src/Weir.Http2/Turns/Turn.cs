namespace Weir.Http2.Turns;

/// <summary>One thread's queue of items that are ready. While the thread is in a turn, what becomes ready joins the queue; waking another thread for
/// it would cost more than most items do, above all where the peer needs the other core. <see cref="TurnWatch"/> sees to it that nothing waits long.</summary>
internal sealed class Turn
{
    // After so many the thread looks at what else there is: a busy connection does not keep it for itself.
    private const int MostItems = 128;

    // With two, a thread that another process has kept from its processor for a moment is seldom taken for one that is stuck.
    private const int LooksUntilOverdue = 2;

    [ThreadStatic]
    private static Turn? _mine;

    private readonly Lock _lock = new();

    // Guarded by the lock.
    private TurnChain _queue;
    private Phase _phase;
    private int _begun;
    private int _begunAtLastLook;
    private int _looksSinceBegun;
    private Action? _overdue;

    private Turn()
    {
        Thread = Thread.CurrentThread;
        TurnWatch.Add(this);
    }

    private enum Phase
    {
        None,    // no turn: an item that comes begins one
        Taking,  // items that come join the queue
        Overdue, // one item takes long: items that come go to the pool
    }

    /// <summary>The thread whose queue this is.</summary>
    public Thread Thread { get; }

    /// <summary>Whether this thread is in a turn and something is queued behind what runs now.</summary>
    public static bool HasMore => _mine is { _queue.IsEmpty: false };

    /// <summary>Lets an item run soon: in this thread's turn, or on the pool.</summary>
    public static void Queue(TurnItem item)
    {
        if (_mine is not { } turn || turn.Join(item, mayBegin: false) != Phase.Taking)
        {
            ThreadPool.UnsafeQueueUserWorkItem(item, preferLocal: false);
        }
    }

    /// <summary>Begins a turn with an item and those that follow it; within a turn they join it.</summary>
    public static void Run(TurnItem item)
    {
        var turn = _mine ??= new Turn();
        switch (turn.Join(item, mayBegin: true))
        {
            case Phase.None:
                if (turn.RunSome(null) is { } rest)
                {
                    ThreadPool.UnsafeQueueUserWorkItem(rest, preferLocal: false); // with all that follow it
                }

                break;
            case Phase.Overdue:
                ThreadPool.UnsafeQueueUserWorkItem(item, preferLocal: false);
                break;
            default:
                break;
        }
    }

    /// <summary>A turn of a thread that does nothing else: what the turn leaves is left in <paramref name="ready"/>.</summary>
    /// <param name="ready">The items.</param>
    /// <param name="overdue">Called, on another thread, when an item keeps this one for long.</param>
    public static void Run(ref TurnChain ready, Action overdue)
    {
        if (ready.TakeAll() is not { } first)
        {
            return;
        }

        var turn = _mine ??= new Turn();
        turn.Join(first, mayBegin: true);
        if (turn.RunSome(overdue) is { } rest)
        {
            ready.Add(rest);
        }
    }

    /// <summary>Called by the watch at its pace. Hands what waits to the pool when one item has run since the look before the last. Returns whether the
    /// thread is in a turn.</summary>
    public bool Look()
    {
        var waiting = default(TurnChain);
        Action? overdue = null;
        bool active;
        lock (_lock)
        {
            active = _phase != Phase.None;
            _looksSinceBegun = _begun == _begunAtLastLook ? _looksSinceBegun + 1 : 0;
            if (_phase == Phase.Taking && _looksSinceBegun >= LooksUntilOverdue)
            {
                _phase = Phase.Overdue;
                (waiting, _queue) = (_queue, default);
                overdue = _overdue;
            }

            _begunAtLastLook = _begun;
        }

        waiting.QueueEach();
        overdue?.Invoke();
        return active;
    }

    // Returns the phase that the turn was in. The item joins if that was Taking, or None and it may begin a turn.
    private Phase Join(TurnItem item, bool mayBegin)
    {
        lock (_lock)
        {
            var phase = _phase;
            if (phase == Phase.Taking || (phase == Phase.None && mayBegin))
            {
                _phase = Phase.Taking;
                _queue.Add(item);
            }

            return phase;
        }
    }

    private TurnItem? RunSome(Action? overdue)
    {
        TurnWatch.TurnBegins();
        var context = ExecutionContext.Capture();
        var left = MostItems;
        try
        {
            while (left-- > 0 && Take(overdue) is { } item)
            {
                item.Invoke();
                Restore(context);
            }
        }
        finally
        {
            lock (_lock)
            {
                _phase = Phase.None;
                _overdue = null;
            }
        }

        return _queue.TakeAll(); // nobody else adds to it, or takes from it, outside a turn
    }

    private TurnItem? Take(Action? overdue)
    {
        lock (_lock)
        {
            _begun++;
            _overdue = overdue;
            return _queue.Take();
        }
    }

    // What an item's code has left on the thread is not for the next one, as between two items of the pool.
    private static void Restore(ExecutionContext? context)
    {
        if (context is not null && ExecutionContext.Capture() != context)
        {
            ExecutionContext.Restore(context);
        }

        if (SynchronizationContext.Current is not null)
        {
            SynchronizationContext.SetSynchronizationContext(null);
        }
    }
}
