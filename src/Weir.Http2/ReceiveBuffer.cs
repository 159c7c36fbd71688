using System.Buffers;
using System.Diagnostics;

namespace Weir.Http2;

/// <summary>The octets of one stream that have arrived and are not consumed, in rented segments. The read loop appends, one reader looks
/// and consumes; what a reader looks at does not move. Guarded by its own lock.</summary>
/// <remarks>Octets count against the peer's windows until they are consumed, but for those that a reader waits for: they are credited as they arrive,
/// so that a wait may be for more than any window. At any time: credited &lt;= buffered.</remarks>
internal sealed class ReceiveBuffer
{
    private const int SmallestSegmentBytes = 512;
    private const int LargestSegmentBytes = 64 * 1024;
    private const int LargestAheadSegmentBytes = 1024 * 1024;

    // Fewer octets than this are not worth copying outside the lock.
    private const int LeastUnlockedBytes = 2 * 1024;

    private readonly Lock _lock = new();
    private Segment? _head;
    private Segment? _tail;
    private int _headStart;
    private int _tailEnd;
    private long _bufferedBytes;
    private long _creditedBytes; // of those, the first
    private int _waitedForBytes;
    private int _aheadBytes;     // so many octets are credited as they arrive
    private bool _appending;     // the read loop copies into the tail
    private bool _signalDue;
    private Segment? _spare;
    private bool _discarding;

    /// <summary>Whether the input came to its normal end. Written under the lock, read anywhere.</summary>
    public bool IsCompleted { get => Volatile.Read(ref field); private set => Volatile.Write(ref field, value); }

    /// <summary>Adds octets; false when nobody wants them any more.</summary>
    /// <param name="data">The octets; they are copied.</param>
    /// <param name="credit">Octets that count as consumed from now on, as far as the peer is concerned.</param>
    /// <param name="endsWait">Whether this ends the wait that was armed.</param>
    public bool TryAppend(ReadOnlySpan<byte> data, out int credit, out bool endsWait)
    {
        credit = 0;
        endsWait = false;
        while (!data.IsEmpty)
        {
            Span<byte> room;
            lock (_lock)
            {
                if (IsCompleted || _discarding)
                {
                    return false;
                }

                room = Room(data.Length);
                if (room.Length < LeastUnlockedBytes)
                {
                    data[..room.Length].CopyTo(room);
                    endsWait |= Publish(room.Length, ref credit);
                    data = data[room.Length..];
                    continue;
                }

                _appending = true;
            }

            // A reader that looks meanwhile is not kept waiting; it leaves this segment alone.
            data[..room.Length].CopyTo(room);
            data = data[room.Length..];
            lock (_lock)
            {
                _appending = false;
                if (_discarding)
                {
                    return false;
                }

                endsWait |= Publish(room.Length, ref credit);
            }
        }

        return true;
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

    /// <summary>Drops everything, now and later, and ends any wait without a signal. Returns the octets dropped that were not credited: they count as consumed.</summary>
    public long Discard()
    {
        lock (_lock)
        {
            _discarding = true;
            _waitedForBytes = _aheadBytes = 0;
            _signalDue = false;
            var dropped = _bufferedBytes - _creditedBytes;

            // A reader may be looking at the segments right now: they are left to the garbage collector, not returned for reuse.
            _head = _tail = null;
            _bufferedBytes = _creditedBytes = 0;
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

    /// <summary>Drops the first octets. Returns how many of them were not credited yet (none after <see cref="Discard"/>, which has counted them already).</summary>
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
            var credited = (int)Math.Min(bytes, _creditedBytes);
            _creditedBytes -= credited;
            for (var left = bytes; left > 0;)
            {
                var inHead = (_head == _tail ? _tailEnd : _head!.Array.Length) - _headStart;
                var take = Math.Min(left, inHead);
                _headStart += take;
                left -= take;
                if (take == inHead && !(_appending && _head == _tail))
                {
                    DropHead();
                }
            }

            return bytes - credited;
        }
    }

    /// <summary>Arms a wait; false when it is over already.</summary>
    /// <param name="minimumBytes">How many octets are waited for.</param>
    /// <param name="ahead">Whether they are credited as they arrive.</param>
    /// <param name="credit">Octets that count as consumed from now on, as far as the peer is concerned.</param>
    public bool WaitFor(int minimumBytes, bool ahead, out int credit)
    {
        lock (_lock)
        {
            credit = 0;
            if (IsCompleted || _discarding || _bufferedBytes >= minimumBytes)
            {
                return false;
            }

            _waitedForBytes = minimumBytes;
            _aheadBytes = ahead ? minimumBytes : 0;
            credit = CreditAhead();
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

        _waitedForBytes = _aheadBytes = 0;
        _signalDue = true;
        return true;
    }

    private int CreditAhead()
    {
        var credit = (int)Math.Max(0, Math.Min(_bufferedBytes, _aheadBytes) - _creditedBytes);
        _creditedBytes += credit;
        return credit;
    }

    // Where the next octets go, at most so many.
    private Span<byte> Room(int bytes)
    {
        if (_tail is null || _tailEnd == _tail.Array.Length)
        {
            AddSegment(bytes);
        }

        return _tail!.Array.AsSpan(_tailEnd, Math.Min(bytes, _tail.Array.Length - _tailEnd));
    }

    private bool Publish(int bytes, ref int credit)
    {
        _tailEnd += bytes;
        _bufferedBytes += bytes;
        credit += CreditAhead();
        return EndWait(_bufferedBytes >= _waitedForBytes);
    }

    private void AddSegment(int incomingBytes)
    {
        // A stream with more in flight gets larger segments, and so does a large message that is waited for, though never more than has come of it:
        // every segment but the last is full, so that offsets stay plain.
        var most = Math.Clamp(_aheadBytes - _bufferedBytes, LargestSegmentBytes, LargestAheadSegmentBytes);
        var size = (int)Math.Clamp(Math.Max(incomingBytes, _bufferedBytes), SmallestSegmentBytes, most);
        var segment = _spare ?? new Segment();
        _spare = null;
        segment.Attach(OctetPool.Shared.Rent(size));
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

        OctetPool.Shared.Return(dropped.Detach());
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
