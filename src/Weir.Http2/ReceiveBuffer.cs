using System.Buffers;
using System.Diagnostics;

namespace Weir.Http2;

/// <summary>The octets of one stream that have arrived and are not consumed, in rented segments. The read loop appends, one reader looks
/// and consumes; what a reader looks at does not move. Guarded by its own lock.</summary>
internal sealed class ReceiveBuffer
{
    private const int SmallestSegmentBytes = 512;
    private const int LargestSegmentBytes = 64 * 1024;

    private readonly Lock _lock = new();
    private Segment? _head;
    private Segment? _tail;
    private int _headStart;
    private int _tailEnd;
    private long _bufferedBytes;
    private int _waitedForBytes;
    private bool _signalDue;
    private Segment? _spare;
    private bool _discarding;

    /// <summary>Whether the input came to its normal end. Written under the lock, read anywhere.</summary>
    public bool IsCompleted { get => Volatile.Read(ref field); private set => Volatile.Write(ref field, value); }

    /// <summary>Adds octets; false when nobody wants them any more.</summary>
    /// <param name="data">The octets; they are copied.</param>
    /// <param name="endsWait">Whether this ends the wait that was armed.</param>
    public bool TryAppend(ReadOnlySpan<byte> data, out bool endsWait)
    {
        lock (_lock)
        {
            if (IsCompleted || _discarding)
            {
                endsWait = false;
                return false;
            }

            _bufferedBytes += data.Length;
            while (!data.IsEmpty)
            {
                if (_tail is null || _tailEnd == _tail.Array.Length)
                {
                    AddSegment(data.Length);
                }

                var take = Math.Min(data.Length, _tail!.Array.Length - _tailEnd);
                data[..take].CopyTo(_tail.Array.AsSpan(_tailEnd));
                data = data[take..];
                _tailEnd += take;
            }

            endsWait = EndWait(_bufferedBytes >= _waitedForBytes);
            return true;
        }
    }

    /// <summary>The input has come to its normal end, unless some of it was dropped; true when this ends the wait that was armed.</summary>
    public bool Complete()
    {
        lock (_lock)
        {
            if (_discarding)
            {
                return false;
            }

            IsCompleted = true;
            return EndWait(true);
        }
    }

    /// <summary>Drops everything, now and later, and ends any wait without a signal. Returns the octets dropped, which count as consumed.</summary>
    public long Discard()
    {
        lock (_lock)
        {
            _discarding = true;
            _waitedForBytes = 0;
            _signalDue = false;
            var dropped = _bufferedBytes;

            // A reader may be looking at the segments right now: they are left to the garbage collector, not returned for reuse.
            _head = _tail = null;
            _bufferedBytes = 0;
            return dropped;
        }
    }

    public bool TryRead(int minimumBytes, out ReadOnlySequence<byte> data)
    {
        lock (_lock)
        {
            if (_bufferedBytes < minimumBytes || _bufferedBytes == 0)
            {
                data = default;
                return false;
            }

            data = new ReadOnlySequence<byte>(_head!, _headStart, _tail!, _tailEnd);
            return true;
        }
    }

    /// <summary>Drops the first octets. Returns how many were still there (none after <see cref="Discard"/>, which has counted them already).</summary>
    public int Consume(int bytes)
    {
        lock (_lock)
        {
            if (_discarding)
            {
                return 0;
            }

            if ((uint)bytes > _bufferedBytes)
            {
                throw new ArgumentOutOfRangeException(nameof(bytes), bytes, $"{bytes} octets cannot be consumed; {_bufferedBytes} are buffered.");
            }

            _bufferedBytes -= bytes;
            for (var left = bytes; left > 0;)
            {
                var inHead = (_head == _tail ? _tailEnd : _head!.Array.Length) - _headStart;
                var take = Math.Min(left, inHead);
                _headStart += take;
                left -= take;
                if (take == inHead)
                {
                    DropHead();
                }
            }

            return bytes;
        }
    }

    /// <summary>Arms a wait; false when it is over already.</summary>
    public bool WaitFor(int minimumBytes)
    {
        lock (_lock)
        {
            if (IsCompleted || _discarding || _bufferedBytes >= minimumBytes)
            {
                return false;
            }

            _waitedForBytes = minimumBytes;
            return true;
        }
    }

    /// <summary>Whether the end of a wait is still to be told: once, and not after what was buffered has been discarded.</summary>
    public bool TryTakeSignal()
    {
        lock (_lock)
        {
            var due = _signalDue;
            _signalDue = false;
            return due;
        }
    }

    /// <summary>The stream was aborted. An input that had come to its normal end stays, and its reader is still told; any other is dropped and
    /// never comes to its end. Returns the octets dropped, which count as consumed.</summary>
    public long Abort()
    {
        lock (_lock)
        {
            return IsCompleted ? 0 : Discard();
        }
    }

    private bool EndWait(bool satisfied)
    {
        if (_waitedForBytes == 0 || !satisfied)
        {
            return false;
        }

        _waitedForBytes = 0;
        _signalDue = true;
        return true;
    }

    private void AddSegment(int incomingBytes)
    {
        // A stream with more in flight gets larger segments; every segment but the last is full, so that offsets stay plain.
        var size = (int)Math.Clamp(Math.Max(incomingBytes, _bufferedBytes), SmallestSegmentBytes, LargestSegmentBytes);
        var segment = _spare ?? new Segment();
        _spare = null;
        segment.Attach(ArrayPool<byte>.Shared.Rent(size));
        if (_tail is null)
        {
            _head = segment;
            _headStart = 0;
        }
        else
        {
            _tail.Append(segment);
        }

        _tail = segment;
        _tailEnd = 0;
    }

    private void DropHead()
    {
        var dropped = _head!;
        _head = dropped.NextSegment;
        _headStart = 0;
        if (_head is null)
        {
            Debug.Assert(_bufferedBytes == 0);
            _tail = null;
        }

        ArrayPool<byte>.Shared.Return(dropped.Detach());
        _spare = dropped;
    }

    private sealed class Segment : ReadOnlySequenceSegment<byte>
    {
        public byte[] Array { get; private set; } = [];

        public Segment? NextSegment => (Segment?)Next;

        public void Attach(byte[] array)
        {
            Array = array;
            Memory = array;
            RunningIndex = 0;
            Next = null;
        }

        public byte[] Detach()
        {
            var array = Array;
            Array = [];
            Memory = default;
            Next = null;
            return array;
        }

        public void Append(Segment next)
        {
            next.RunningIndex = RunningIndex + Memory.Length;
            Next = next;
        }
    }
}
