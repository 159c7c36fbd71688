namespace Weir.Http2.Turns;

/// <summary>A piece of work that something on a connection has made ready: a reader to wake, a sender, a write. Reused by its owner, who queues it
/// again only after it has begun to run.</summary>
/// <remarks>Items that become ready while others run on the same thread follow them there, one after another (a turn), without waking another
/// thread, and what they send leaves in one write at the end. An item may run application code and may take its time: what waits behind one that takes
/// longer than a few milliseconds goes to the thread pool.</remarks>
public abstract class TurnItem : IThreadPoolWorkItem
{
    /// <summary>The next item of the queue that this one is in; guarded by whoever has the queue.</summary>
    internal TurnItem? Next { get; set; }

    /// <summary>Lets the item run soon: behind what is ready in this thread's turn, or on the thread pool when the thread is in none. Safe from any
    /// thread and under any lock.</summary>
    public void Queue() => Turn.Queue(this);

    /// <summary>Does the work. May not throw.</summary>
    protected abstract void Run();

    internal void Invoke() => Run();

    void IThreadPoolWorkItem.Execute() => Turn.Run(this);
}
