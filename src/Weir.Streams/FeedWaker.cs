namespace Weir.Streams;

/// <summary>
/// Wakes the waiting cursors of a feed from the thread pool, so that publishing costs the same with one subscriber and with thousands.
/// One run serves all items that were published until it ends.
/// </summary>
sealed class FeedWaker<T>(Feed<T> feed) : IThreadPoolWorkItem
{
    // Cursors taken out in one hold of the lock: long enough to be worth it, short enough that publishers do not notice.
    const int CursorsPerHold = 64;

    readonly FeedCursor<T>[] _taken = new FeedCursor<T>[CursorsPerHold];
    bool _isQueued; // owned by the feed's lock

    /// <summary>Whether the caller has to queue the waker once it has left the lock. Called inside the feed's lock.</summary>
    public bool MustQueue()
    {
        if (_isQueued || feed.Waiting.First is null) return false;
        return _isQueued = true;
    }

    /// <summary>Queues the waker. Called outside the lock.</summary>
    public void Queue() => ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);

    void IThreadPoolWorkItem.Execute()
    {
        while (true)
        {
            var count = 0;
            lock (feed.Gate)
            {
                // The list is in the order of waiting: the first cursor that has nothing to read has only such cursors behind it.
                while (count < CursorsPerHold && feed.Waiting.First is { } cursor && (feed.IsCompleted || cursor.Position < feed.LastSequence))
                {
                    feed.Waiting.Remove(cursor);
                    _taken[count++] = cursor;
                }

                if (count == 0)
                {
                    _isQueued = false;
                    return;
                }
            }

            for (var i = 0; i < count; i++)
            {
                ThreadPool.UnsafeQueueUserWorkItem(_taken[i], preferLocal: false);
                _taken[i] = null!;
            }
        }
    }
}
