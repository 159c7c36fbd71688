using System.Runtime.InteropServices;
using Weir.Rpc;

namespace Weir.Streams;

/// <summary>The latest item of each key of one feed. Every member is called inside the feed's lock.</summary>
abstract class ConflationIndex<T>
{
    /// <summary>Makes an item the latest of its key.</summary>
    /// <exception cref="RpcException">ResourceExhausted: the key is new and there are as many keys as the feed keeps. Nothing was changed.</exception>
    public abstract void Set(long sequence, T item);

    /// <summary>The latest item of every key whose latest item comes after a sequence, in the order of their sequences.</summary>
    public abstract FeedItem<T>[] After(long sequence);
}

sealed class ConflationIndex<T, TKey>(Func<T, TKey> key, int maxKeys, IEqualityComparer<TKey>? comparer) : ConflationIndex<T>
    where TKey : notnull
{
    readonly Dictionary<TKey, FeedItem<T>> _latest = new(comparer);

    public override void Set(long sequence, T item)
    {
        var itemKey = key(item);
        if (_latest.Count >= maxKeys && !_latest.ContainsKey(itemKey))
            throw new RpcException(StatusCode.ResourceExhausted, $"the feed keeps the latest item of at most {maxKeys} keys; '{itemKey}' would be number {maxKeys + 1L}");
        CollectionsMarshal.GetValueRefOrAddDefault(_latest, itemKey, out _) = new FeedItem<T>(sequence, item);
    }

    public override FeedItem<T>[] After(long sequence)
    {
        var items = _latest.Values.Where(item => item.Sequence > sequence).ToArray();
        Array.Sort(items, static (a, b) => a.Sequence.CompareTo(b.Sequence));
        return items;
    }
}
