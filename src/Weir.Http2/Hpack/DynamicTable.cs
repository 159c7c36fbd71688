using System.Diagnostics;

namespace Weir.Http2.Hpack;

/// <summary>
/// The dynamic table of one direction (RFC 7541 §2.3.2): a queue of fields, the newest at index 0, that evicts the oldest to stay within
/// its capacity. Sizes are those of RFC 7541 §4.1. Not thread-safe.
/// </summary>
internal sealed class DynamicTable
{
    /// <summary>What RFC 7541 §4.1 adds to name and value for each entry.</summary>
    public const int EntryOverheadBytes = 32;

    const int InitialSlots = 16;

    // A ring whose length is a power of two; it grows with the number of entries, never beyond capacity / 32 rounded up to such a power.
    HeaderField[] _ring = [];
    long _insertedCount;

    public DynamicTable(int capacityBytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(capacityBytes);
        CapacityBytes = capacityBytes;
    }

    public int CapacityBytes { get; private set; }

    public int SizeBytes { get; private set; }

    public int Count { get; private set; }

    /// <summary>How many entries were ever inserted: the newest entry's number is one less.</summary>
    public long InsertedCount => _insertedCount;

    /// <summary>The entry at <paramref name="index"/>, from 0 (the newest) to <see cref="Count"/> - 1.</summary>
    public ref readonly HeaderField this[int index]
    {
        get
        {
            Debug.Assert((uint)index < (uint)Count, "the caller checks the index");
            return ref _ring[(int)(_insertedCount - 1 - index) & (_ring.Length - 1)];
        }
    }

    /// <summary>Changes the capacity and evicts what no longer fits (RFC 7541 §4.3).</summary>
    public void Resize(int capacityBytes)
    {
        CapacityBytes = capacityBytes;
        EvictUntil(capacityBytes);
    }

    /// <summary>Inserts a field, first evicting to make room. A field larger than the capacity empties the table (RFC 7541 §4.4).</summary>
    public void Insert(in HeaderField field)
    {
        if (field.Size > CapacityBytes)
        {
            Clear();
            return;
        }

        EvictUntil(CapacityBytes - field.Size);
        if (Count == _ring.Length)
            Grow();
        _ring[(int)_insertedCount & (_ring.Length - 1)] = field;
        _insertedCount++;
        Count++;
        SizeBytes += field.Size;
        Debug.Assert(SizeBytes <= CapacityBytes, "size <= capacity");
    }

    public void Clear() => EvictUntil(0);

    void EvictUntil(int sizeBytes)
    {
        while (SizeBytes > sizeBytes)
        {
            ref HeaderField oldest = ref _ring[(int)(_insertedCount - Count) & (_ring.Length - 1)];
            SizeBytes -= oldest.Size;
            oldest = default;
            Count--;
        }
    }

    void Grow()
    {
        var ring = new HeaderField[Math.Max(InitialSlots, _ring.Length * 2)];
        for (long number = _insertedCount - Count; number < _insertedCount; number++)
            ring[(int)number & (ring.Length - 1)] = _ring[(int)number & (_ring.Length - 1)];
        _ring = ring;
    }
}
