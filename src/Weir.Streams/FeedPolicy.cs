using Weir.Rpc;

namespace Weir.Streams;

/// <summary>
/// What happens to a subscriber whose next item has left the ring: it was slower than the publishers for more than the ring's
/// capacity, or asked for a sequence that is no longer kept. Immutable; one policy may serve any number of feeds.
/// </summary>
public abstract class FeedPolicy<T>
{
    private protected FeedPolicy()
    {
    }

    /// <summary>The index that a feed with this policy keeps beside its ring, or null.</summary>
    internal virtual ConflationIndex<T>? CreateIndex() => null;

    /// <summary>Moves a cursor whose next item is gone to where it goes on.</summary>
    /// <exception cref="RpcException">The policy ends the subscription.</exception>
    internal abstract void Overtaken(FeedCursor<T> cursor);

    internal sealed class DisconnectPolicy : FeedPolicy<T>
    {
        public static DisconnectPolicy Instance { get; } = new();

        internal override void Overtaken(FeedCursor<T> cursor) => throw new RpcException(
            StatusCode.ResourceExhausted,
            $"the reader is {cursor.Lag} items behind, at most {cursor.Feed.Capacity} are kept");
    }

    internal sealed class DropOldestPolicy : FeedPolicy<T>
    {
        public static DropOldestPolicy Instance { get; } = new();

        internal override void Overtaken(FeedCursor<T> cursor) => cursor.SkipTo(cursor.Feed.FirstSequence);
    }

    internal sealed class ConflatePolicy<TKey>(Func<T, TKey> key, int maxKeys, IEqualityComparer<TKey>? comparer) : FeedPolicy<T>
        where TKey : notnull
    {
        internal override ConflationIndex<T> CreateIndex() => new ConflationIndex<T, TKey>(key, maxKeys, comparer);

        internal override void Overtaken(FeedCursor<T> cursor) => cursor.ReadLatest();
    }
}

/// <summary>The policies there are.</summary>
public static class FeedPolicy
{
    /// <summary>The subscription ends with <see cref="StatusCode.ResourceExhausted"/>, which names the lag and the capacity. The default of a feed.</summary>
    public static FeedPolicy<T> Disconnect<T>() => FeedPolicy<T>.DisconnectPolicy.Instance;

    /// <summary>The subscription goes on with the oldest item kept; <see cref="FeedItem{T}.Dropped"/> says how many were skipped.</summary>
    public static FeedPolicy<T> DropOldest<T>() => FeedPolicy<T>.DropOldestPolicy.Instance;

    /// <summary>
    /// The subscription goes on with the latest item of each key that it has not seen, in the order of their sequences, and then with
    /// what is published from there on. The feed keeps one item for each key for ever.
    /// </summary>
    /// <param name="key">The key of an item. Called by publishers inside the feed's lock: it must be quick and must not throw.</param>
    /// <param name="maxKeys">
    /// How many keys the feed keeps, at least 1. Publishing an item with one key more throws <see cref="StatusCode.ResourceExhausted"/>.
    /// </param>
    /// <param name="comparer">Compares keys; null means the type's own comparison.</param>
    public static FeedPolicy<T> Conflate<T, TKey>(Func<T, TKey> key, int maxKeys = 65_536, IEqualityComparer<TKey>? comparer = null)
        where TKey : notnull
    {
        ArgumentNullException.ThrowIfNull(key);
        ArgumentOutOfRangeException.ThrowIfLessThan(maxKeys, 1);
        return new FeedPolicy<T>.ConflatePolicy<TKey>(key, maxKeys, comparer);
    }
}
