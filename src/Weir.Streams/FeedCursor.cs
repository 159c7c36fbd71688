using System.Threading.Tasks.Sources;
using Weir.Http2.Turns;
using Weir.Rpc;

namespace Weir.Streams;

/// <summary>
/// A subscriber's place in a feed. Used by one reader at a time; the feed wakes it from any thread.
/// It is its own awaitable and its own work item, so that waiting and waking allocate nothing.
/// </summary>
sealed class FeedCursor<T>(Feed<T> feed, long position) : TurnItem, IValueTaskSource
{
    ManualResetValueTaskSourceCore<bool> _wait;
    FeedItem<T>[]? _latest;
    int _latestRead;

    /// <summary>The feed it reads.</summary>
    public Feed<T> Feed => feed;

    /// <summary>The sequence that the reader has come to: everything up to it was read, or reported as dropped by the next item.</summary>
    public long Position { get; private set; } = position;

    /// <summary>How many items the reader has still to read, whether they are still kept or not.</summary>
    public long Lag => feed.LastSequence - Position;

    /// <summary>The item that was read last as others send it too, where the ring has it so.</summary>
    public SharedMessage<T>? Shared { get; private set; }

    // The links of the feed's list of waiting cursors; owned by the feed's lock.
    internal FeedCursor<T>? Previous { get; set; }

    internal FeedCursor<T>? Following { get; set; }

    internal bool IsWaiting { get; set; }

    /// <summary>Reads the next item if there is one.</summary>
    /// <exception cref="RpcException">The reader was overtaken and the feed's policy ends the subscription.</exception>
    public bool TryRead(out FeedItem<T> item)
    {
        var previous = Position;
        while (true)
        {
            if (_latest is not null)
            {
                item = TakeLatest();
                Shared = null;
                break;
            }

            var next = Position + 1;
            if (next > feed.LastSequence)
            {
                item = default;
                return false;
            }

            if (feed.TryGet(next, out var value, out var shared))
            {
                Position = next;
                Shared = shared;
                item = new FeedItem<T>(next, value);
                break;
            }

            feed.Policy.Overtaken(this);
        }

        item = item with { Dropped = item.Sequence - previous - 1 };
        return true;
    }

    /// <summary>Waits until an item comes, the feed completes, or somebody calls <see cref="Wake"/>.</summary>
    public ValueTask WaitAsync(CancellationToken stopping, CancellationToken cancellationToken)
    {
        lock (feed.Gate)
        {
            // Both tokens call Wake after they are set and Wake takes this lock: either it is seen here or it finds the cursor waiting.
            if (feed.LastSequence > Position || feed.IsCompleted || stopping.IsCancellationRequested || cancellationToken.IsCancellationRequested)
                return ValueTask.CompletedTask;
            _wait.Reset();
            feed.Waiting.Add(this);
            return new ValueTask(this, _wait.Version);
        }
    }

    /// <summary>Ends the wait, if there is one. Safe from any thread.</summary>
    public void Wake()
    {
        lock (feed.Gate)
        {
            if (!IsWaiting) return;
            feed.Waiting.Remove(this);
        }

        Queue();
    }

    /// <summary>Goes on at a later sequence.</summary>
    internal void SkipTo(long sequence) => Position = sequence - 1;

    /// <summary>Goes on with the latest items of all keys that come after the position.</summary>
    internal void ReadLatest()
    {
        _latest = feed.LatestAfter(Position);
        _latestRead = 0;
    }

    FeedItem<T> TakeLatest()
    {
        // The snapshot is never empty: an item after the position exists, and the latest of its key is at least that one.
        var item = _latest![_latestRead++];
        Position = item.Sequence;
        if (_latestRead == _latest.Length) _latest = null;
        return item;
    }

    protected override void Run() => _wait.SetResult(true);

    void IValueTaskSource.GetResult(short token) => _wait.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource.GetStatus(short token) => _wait.GetStatus(token);

    void IValueTaskSource.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _wait.OnCompleted(continuation, state, token, flags);
}
