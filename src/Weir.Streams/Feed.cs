using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using Weir.Rpc;

namespace Weir.Streams;

/// <summary>
/// A log in memory with live readers: items are kept once, in a ring of fixed size, and each subscriber is a cursor into it.
/// Publishing never waits for a subscriber and costs the same whatever their number. A subscriber that is slower than the publishers for more than the
/// ring's capacity meets the feed's <see cref="FeedPolicy{T}"/>. An item that goes out as the response of calls is serialised once for all of them,
/// and its octets are kept as long as it is; a feed that no call has subscribed to allocates nothing when an item is published.
/// Safe for use by any number of threads; all subscribers get the same objects, which nobody may change after publishing.
/// </summary>
public sealed class Feed<T>
{
    struct Slot
    {
        public T Item;
        public SharedMessage<T>? Shared; // of the item, once calls subscribe
        public long Sequence; // 0 while the item is being replaced
    }

    readonly Slot[] _ring;
    readonly FeedWaker<T> _waker;
    readonly ConflationIndex<T>? _latest;
    readonly long _start;
    long _lastSequence; // written inside the lock
    bool _completed;    // written inside the lock
    bool _isShared;     // set once, read inside the lock

    /// <summary>Creates an empty feed.</summary>
    /// <param name="capacity">How many items the ring keeps, at least 1; all slots are allocated at once.</param>
    /// <param name="policy">What happens to subscribers that lag more; null means <see cref="FeedPolicy.Disconnect{T}"/>.</param>
    /// <param name="lastSequence">The sequence before the first item's: 0, or where an earlier feed of the same log ended.</param>
    public Feed(int capacity, FeedPolicy<T>? policy = null, long lastSequence = 0)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(capacity, 1);
        ArgumentOutOfRangeException.ThrowIfNegative(lastSequence);
        _ring = new Slot[capacity];
        _start = _lastSequence = lastSequence;
        Policy = policy ?? FeedPolicy.Disconnect<T>();
        _latest = Policy.CreateIndex();
        _waker = new FeedWaker<T>(this);
    }

    /// <summary>How many items the ring keeps.</summary>
    public int Capacity => _ring.Length;

    /// <summary>The sequence of the item published last, or the feed's start.</summary>
    public long LastSequence => Volatile.Read(ref _lastSequence);

    /// <summary>The sequence of the oldest item kept; one more than <see cref="LastSequence"/> while nothing was published.</summary>
    public long FirstSequence => Math.Max(LastSequence - _ring.Length, _start) + 1;

    internal FeedPolicy<T> Policy { get; }

    /// <summary>Guards publishing, completing and the list of waiting cursors. Nothing of a user's but a conflation key runs inside.</summary>
    internal Lock Gate { get; } = new();

    internal WaitingCursors<T> Waiting { get; } = new();

    internal bool IsCompleted => Volatile.Read(ref _completed);

    /// <summary>Appends an item and wakes the subscribers that wait. Never waits for them.</summary>
    /// <returns>The item's sequence.</returns>
    /// <exception cref="InvalidOperationException">The feed is completed.</exception>
    /// <exception cref="ArgumentNullException">The item is null, and calls have subscribed. Nothing was changed.</exception>
    /// <exception cref="RpcException">ResourceExhausted: the feed conflates, and the item's key is one more than it keeps.</exception>
    public long Publish(T item)
    {
        long sequence;
        bool wake;
        lock (Gate)
        {
            if (_completed) throw new InvalidOperationException($"The feed was completed after item {_lastSequence}.");
            var shared = _isShared ? new SharedMessage<T>(item) : null; // first: it throws for null, and nothing may have changed then
            sequence = _lastSequence + 1;
            _latest?.Set(sequence, item);

            // Readers take no lock: they see the slot's sequence change before its item does, and the item before the new sequence.
            ref var slot = ref SlotOf(sequence);
            slot.Sequence = 0;
            Volatile.WriteBarrier();
            slot.Item = item;
            slot.Shared = shared;
            Volatile.Write(ref slot.Sequence, sequence);
            Volatile.Write(ref _lastSequence, sequence);
            wake = _waker.MustQueue();
        }

        if (wake) _waker.Queue();
        return sequence;
    }

    /// <summary>Ends the feed: subscriptions read what is kept and then end normally. Further calls do nothing.</summary>
    public void Complete()
    {
        bool wake;
        lock (Gate)
        {
            Volatile.Write(ref _completed, true);
            wake = _waker.MustQueue();
        }

        if (wake) _waker.Queue();
    }

    /// <summary>Reads the feed from now, or from after a sequence. The place is taken by this call, whenever the enumeration begins.</summary>
    /// <param name="after">The last sequence already seen; null means the last one published. Older than the ring: the policy decides.</param>
    /// <param name="filter">Which items the reader wants; null means all. Run by the reader, outside the feed's lock.</param>
    /// <param name="stopping">Ends the enumeration normally, after the items published until then.</param>
    /// <param name="cancellationToken">Ends the enumeration with an <see cref="OperationCanceledException"/>.</param>
    /// <returns>A sequence that may be enumerated any number of times, each time from the same place. It costs nothing until it is.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="after"/> is negative.</exception>
    /// <exception cref="RpcException">OutOfRange: <paramref name="after"/> was not published yet. While enumerating: what the policy throws.</exception>
    public IAsyncEnumerable<FeedItem<T>> Subscribe(
        long? after = null,
        Func<T, bool>? filter = null,
        CancellationToken stopping = default,
        CancellationToken cancellationToken = default)
    {
        var last = LastSequence;
        if (after < 0) throw new ArgumentOutOfRangeException(nameof(after), after, "A sequence is never negative.");
        if (after > last) throw new RpcException(StatusCode.OutOfRange, $"sequence {after} was asked for, the last one is {last}");
        return ReadAsync(after ?? last, filter, stopping, cancellationToken);
    }

    /// <summary>
    /// Reads the feed from now as the responses of a call: until the client leaves or the feed completes. When the server drains, the
    /// call gets what was published until then and ends with <see cref="StatusCode.Unavailable"/>: the feed goes on, this server does not.
    /// </summary>
    /// <param name="call">The call whose tokens end the enumeration.</param>
    /// <param name="filter">Which items the client wants; null means all.</param>
    public ISharedMessages<T> Subscribe(ServerCall call, Func<T, bool>? filter = null)
    {
        ArgumentNullException.ThrowIfNull(call);
        lock (Gate) _isShared = true;
        return new FeedResponses<T>(this, LastSequence, filter, call.Draining, call.CancellationToken);
    }

    /// <summary>The item with a sequence, unless it has left the ring.</summary>
    internal bool TryGet(long sequence, [MaybeNullWhen(false)] out T item, out SharedMessage<T>? shared)
    {
        ref var slot = ref SlotOf(sequence);
        if (Volatile.Read(ref slot.Sequence) == sequence)
        {
            item = slot.Item;
            shared = slot.Shared;
            Volatile.ReadBarrier();
            if (slot.Sequence == sequence) return true;
        }

        item = default;
        shared = null;
        return false;
    }

    /// <summary>The latest item of every key that comes after a sequence. For feeds that conflate.</summary>
    internal FeedItem<T>[] LatestAfter(long sequence)
    {
        lock (Gate) return _latest!.After(sequence);
    }

    ref Slot SlotOf(long sequence) => ref _ring[(int)((ulong)sequence % (ulong)_ring.Length)];

    async IAsyncEnumerable<FeedItem<T>> ReadAsync(
        long after,
        Func<T, bool>? filter,
        CancellationToken stopping,
        [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var cursor = new FeedCursor<T>(this, after);
        using var onStopping = stopping.UnsafeRegister(static state => ((FeedCursor<T>)state!).Wake(), cursor);
        using var onCancel = cancellationToken.UnsafeRegister(static state => ((FeedCursor<T>)state!).Wake(), cursor);
        var end = long.MaxValue;
        var dropped = 0L;
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (end == long.MaxValue && stopping.IsCancellationRequested) end = LastSequence;
            if (cursor.Position >= end) yield break;

            // Asked before reading: what was published before the feed completed is read before the enumeration ends.
            var completed = IsCompleted;
            if (cursor.TryRead(out var item))
            {
                dropped += item.Dropped;
                if (filter is not null && !filter(item.Value)) continue;
                yield return item with { Dropped = dropped };
                dropped = 0;
            }
            else if (completed)
            {
                yield break;
            }
            else
            {
                await cursor.WaitAsync(stopping, cancellationToken).ConfigureAwait(false);
            }
        }
    }
}
