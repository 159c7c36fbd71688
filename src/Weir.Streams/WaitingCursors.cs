namespace Weir.Streams;

/// <summary>The cursors that wait for a feed's next item, the longest waiting first. Every member is called inside the feed's lock.</summary>
sealed class WaitingCursors<T>
{
    FeedCursor<T>? _last;

    /// <summary>The cursor that waits longest, or null.</summary>
    public FeedCursor<T>? First { get; private set; }

    /// <summary>How many wait.</summary>
    public int Count { get; private set; }

    /// <summary>Appends a cursor that does not wait yet.</summary>
    public void Add(FeedCursor<T> cursor)
    {
        cursor.IsWaiting = true;
        cursor.Previous = _last;
        if (_last is null) First = cursor;
        else _last.Following = cursor;
        _last = cursor;
        Count++;
    }

    /// <summary>Takes out a cursor that waits. Whoever took it out has to wake it, once.</summary>
    public void Remove(FeedCursor<T> cursor)
    {
        if (cursor.Previous is null) First = cursor.Following;
        else cursor.Previous.Following = cursor.Following;
        if (cursor.Following is null) _last = cursor.Previous;
        else cursor.Following.Previous = cursor.Previous;
        cursor.Previous = cursor.Following = null;
        cursor.IsWaiting = false;
        Count--;
    }
}
