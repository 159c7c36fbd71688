using Weir.Http2.Turns;

namespace Weir.Streams;

/// <summary>
/// Wakes the waiting cursors of a feed from the thread pool, so that publishing costs the same with one subscriber and with thousands.
/// One run serves all items that were published until it ends.
/// </summary>
sealed class FeedWaker<T>(Feed<T> feed) : TurnItem
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

    protected override void Run()
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
                _taken[i].Queue();
                _taken[i] = null!;
            }
        }
    }
}
