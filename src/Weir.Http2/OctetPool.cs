using System.Buffers;
using System.Numerics;

namespace Weir.Http2;

/// <summary>Arrays of octets for reuse, as <see cref="ArrayPool{T}"/>, that gives back after a burst what the burst has left. All members may be called from
/// any thread.</summary>
/// <remarks>Arrays of up to 64 KiB are <see cref="ArrayPool{T}.Shared"/>'s, which keeps at most 32 of each size for a processor and one for a thread.
/// Of larger ones it would keep as many, gigabytes in all on two processors, and let go of them only after minutes of garbage collections. Those
/// are kept here, in sizes a quarter apart: up to a sixty-fourth of the memory there is (16 to 64 MiB), and none that was of no use for
/// five to ten seconds. What is not kept is the garbage collector's.</remarks>
public sealed class OctetPool
{
    private const int LargestSharedBytes = 64 * 1024;
    private const int SizesInDoubling = 4;

    private static readonly TimeSpan Period = TimeSpan.FromSeconds(5);

    private readonly Lock _lock = new();
    private readonly long _mostKeptBytes;
    private readonly ITimer _timer; // runs while anything is kept

    // Guarded by the lock.
    private readonly Shelf?[] _shelves = new Shelf?[SizesInDoubling * 32];
    private long _keptBytes;

    internal OctetPool(long mostKeptBytes, TimeProvider time)
    {
        _mostKeptBytes = mostKeptBytes;
        var flow = ExecutionContext.IsFlowSuppressed() ? default(AsyncFlowControl?) : ExecutionContext.SuppressFlow(); // the pool outlives whoever asks first
        _timer = time.CreateTimer(static pool => ((OctetPool)pool!).OnPeriod(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        flow?.Undo();
    }

    /// <summary>The process's pool: connections rent their buffers here.</summary>
    public static OctetPool Shared { get; } = new(Math.Clamp(GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 64, 16 << 20, 64 << 20), TimeProvider.System);

    /// <summary>Octets in the arrays that are kept here, those of <see cref="ArrayPool{T}.Shared"/> not counted.</summary>
    public long KeptBytes
    {
        get
        {
            lock (_lock)
            {
                return _keptBytes;
            }
        }
    }

    /// <summary>An array of <paramref name="leastBytes"/> or more, with anything in it.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Less than none.</exception>
    public byte[] Rent(int leastBytes)
    {
        if (leastBytes <= LargestSharedBytes)
        {
            return ArrayPool<byte>.Shared.Rent(leastBytes);
        }

        var (index, size) = SizeOf(leastBytes);
        lock (_lock)
        {
            if (_shelves[index] is { } shelf && shelf.TryTake(out var array))
            {
                _keptBytes -= size;
                return array;
            }
        }

        return GC.AllocateUninitializedArray<byte>((int)size);
    }

    /// <summary>Gives back an array that was rented here, once; nobody uses it after that.</summary>
    public void Return(byte[] array)
    {
        ArgumentNullException.ThrowIfNull(array);
        if (array.Length <= LargestSharedBytes)
        {
            ArrayPool<byte>.Shared.Return(array);
            return;
        }

        var (index, size) = SizeOf(array.Length);
        if (size != array.Length)
        {
            throw new ArgumentException($"An array of {array.Length} octets is not one of this pool's.", nameof(array));
        }

        lock (_lock)
        {
            if (_keptBytes + size > _mostKeptBytes)
            {
                return;
            }

            if (_keptBytes == 0)
            {
                _timer.Change(Period, Period);
            }

            _keptBytes += size;
            (_shelves[index] ??= new Shelf()).Add(array);
        }
    }

    /// <summary>Keeps none of the arrays that are here now. For who is about to collect garbage; otherwise they go by themselves.</summary>
    public void Release() => Drop(all: true);

    private void OnPeriod() => Drop(all: false);

    private void Drop(bool all)
    {
        lock (_lock)
        {
            foreach (var shelf in _shelves)
            {
                _keptBytes -= shelf?.Drop(all) ?? 0;
            }

            if (_keptBytes == 0)
            {
                _timer.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            }
        }
    }

    // The least size of (5 to 8) x 2^n that has room, and its place among them.
    private static (int Index, long Size) SizeOf(int leastBytes)
    {
        var shift = BitOperations.Log2((uint)(leastBytes - 1)) - BitOperations.Log2(SizesInDoubling);
        var units = ((leastBytes - 1) >> shift) + 1;
        return ((SizesInDoubling * shift) + units - SizesInDoubling - 1, Math.Min((long)units << shift, Array.MaxLength));
    }

    /// <summary>Arrays of one size.</summary>
    private sealed class Shelf
    {
        private readonly Stack<byte[]> _arrays = new();
        private int _unused; // the fewest there were since the last drop: nobody needed those

        public void Add(byte[] array) => _arrays.Push(array);

        public bool TryTake(out byte[] array)
        {
            if (!_arrays.TryPop(out array!))
            {
                return false;
            }

            _unused = Math.Min(_unused, _arrays.Count);
            return true;
        }

        // Returns the octets dropped.
        public long Drop(bool all)
        {
            var dropped = 0L;
            for (var left = all ? _arrays.Count : _unused; left > 0; left--)
            {
                dropped += _arrays.Pop().Length;
            }

            _unused = _arrays.Count;
            if (_unused == 0)
            {
                _arrays.TrimExcess();
            }

            return dropped;
        }
    }
}
