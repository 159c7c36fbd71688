namespace Weir.Http2.Turns;

/// <summary>Items in order, linked through themselves. Not safe for two threads at once.</summary>
internal struct TurnChain
{
    private TurnItem? _first;
    private TurnItem? _last;

    public readonly bool IsEmpty => _first is null;

    /// <summary>Adds an item, and those that follow it.</summary>
    public void Add(TurnItem item)
    {
        if (_last is null)
        {
            _first = item;
        }
        else
        {
            _last.Next = item;
        }

        _last = item;
        while (_last.Next is { } next)
        {
            _last = next;
        }
    }

    /// <summary>Takes the first item.</summary>
    public TurnItem? Take()
    {
        if (_first is not { } item)
        {
            return null;
        }

        _first = item.Next;
        _last = _first is null ? null : _last;
        item.Next = null;
        return item;
    }

    /// <summary>Takes all: the first, with the others after it.</summary>
    public TurnItem? TakeAll()
    {
        var first = _first;
        this = default;
        return first;
    }

    /// <summary>Hands every item to the thread pool, each on its own.</summary>
    public void QueueEach()
    {
        while (Take() is { } item)
        {
            ThreadPool.UnsafeQueueUserWorkItem(item, preferLocal: false);
        }
    }
}
