using System.Diagnostics;

namespace Weir.Http2;

/// <summary>Decides whose octets go into the output next. A payload goes straight in while there is room in the output and in both windows;
/// otherwise it waits on its stream, and streams that wait take turns. Guarded by the connection's lock; does no I/O.</summary>
/// <remarks>A sender mostly awaits one message before it makes the next: what waits on a stream when its turn comes is one message, whatever there
/// is to send. So a turn also keeps room for some times what the stream's last turn took, which the sender it wakes finds free: with thousands of
/// streams each still sends runs of messages, and few of them wait. At any time: gathered + reserved &lt;= high-water mark, frame headers apart.</remarks>
internal sealed class SendScheduler
{
    // However many streams contend, each may put so much into one write: smaller shares would cost more than they balance.
    private const int SmallestShareBytes = 8 * 1024;

    private readonly OutputBuffer _output;
    private readonly int _highWaterBytes;
    private SendWindow _connectionWindow = new(Http2Protocol.DefaultWindowBytes);
    private Http2Stream? _first;
    private Http2Stream? _last;
    private int _waitingStreams;
    private int _shareBytes;
    private int _reservedBytes; // of this write, for the senders that a turn has just woken
    private int _write;

    public SendScheduler(OutputBuffer output, int highWaterBytes)
    {
        _output = output;
        _highWaterBytes = highWaterBytes;
        _shareBytes = highWaterBytes;
    }

    /// <summary>The largest DATA frame to send, in octets of payload.</summary>
    public int MaxFrameBytes { get; set; } = Http2Protocol.DefaultMaxFrameBytes;

    /// <summary>Octets of DATA moved into the output so far.</summary>
    public long SentBytes { get; private set; }

    /// <summary>Appends a payload if it may leave now; the stream has nothing waiting.</summary>
    public bool TryAppend<TPayload>(Http2Stream stream, ref TPayload payload, int length)
        where TPayload : struct, IPayload
    {
        Debug.Assert(stream.FirstPending is null);
        if (length > Room(stream) || (length > ReservedFor(stream) && OutputBuffer.WithFrames(length, MaxFrameBytes) > FreeBytes + ReservedFor(stream)))
        {
            return false;
        }

        _output.AppendData(stream.Id, ref payload, length, MaxFrameBytes);
        Count(stream, length);
        return true;
    }

    /// <summary>Lets a stream with pending payloads take its turns from now on.</summary>
    public void Schedule(Http2Stream stream)
    {
        if (stream.IsScheduled || stream.FirstPending is null || stream.SendWindow.AvailableBytes <= 0)
        {
            return;
        }

        stream.IsScheduled = true;
        stream.PreviousScheduled = _last;
        _waitingStreams++;
        if (_last is null)
        {
            _first = stream;
        }
        else
        {
            _last.NextScheduled = stream;
        }

        _last = stream;
    }

    /// <summary>Adds to the connection's window; false when it would overflow.</summary>
    public bool TryGrowConnectionWindow(int increment) => _connectionWindow.TryAdd(increment);

    /// <summary>A new write begins: everybody has a full share again, smaller the more streams wait.</summary>
    public void BeginWrite()
    {
        _write++;
        _reservedBytes = 0;
        _shareBytes = _waitingStreams <= 1 ? _highWaterBytes : Math.Max(SmallestShareBytes, _highWaterBytes / _waitingStreams);
    }

    /// <summary>Moves waiting octets into the output while there is room, stream by stream.</summary>
    public void Pump()
    {
        // Each stream gets one turn: its share of this write. What is left over waits for the next one.
        for (var turns = _waitingStreams; turns > 0 && _first is not null; turns--)
        {
            // Full is also an output whose last octets only a frame's header would fit into: looking through all that wait for a smaller
            // piece, for every sender that joins them, costs more than sending does once there are thousands.
            if (_connectionWindow.AvailableBytes <= 0 || FreeBytes <= Http2Protocol.FrameHeaderBytes)
            {
                return;
            }

            var stream = _first;
            Remove(stream);
            TakeTurn(stream);
            Schedule(stream);
        }
    }

    /// <summary>The stream has ended: it takes no more turns.</summary>
    public void Remove(Http2Stream stream)
    {
        if (!stream.IsScheduled)
        {
            return;
        }

        var (before, after) = (stream.PreviousScheduled, stream.NextScheduled);
        if (before is null)
        {
            _first = after;
        }
        else
        {
            before.NextScheduled = after;
        }

        if (after is null)
        {
            _last = before;
        }
        else
        {
            after.PreviousScheduled = before;
        }

        stream.IsScheduled = false;
        stream.NextScheduled = stream.PreviousScheduled = null;
        _waitingStreams--;
    }

    private void TakeTurn(Http2Stream stream)
    {
        var lastTurnBytes = stream.ShareOfWrite == _write ? 0 : stream.ShareUsedBytes;
        while (stream.FirstPending is { } pending)
        {
            var piece = Math.Min(pending.Left.Length, Math.Min(Room(stream), FreeBytes - Http2Protocol.FrameHeaderBytes));
            if (piece < 0 || (piece == 0 && pending.Left.Length > 0))
            {
                return;
            }

            var octets = new RawPayload(pending, Math.Min(piece, MaxFrameBytes));
            _output.AppendData(stream.Id, ref octets, octets.Length, MaxFrameBytes);
            Count(stream, octets.Length);
            if (pending.Advance(octets.Length))
            {
                stream.RemoveFirstPending();
                pending.Complete();
            }
        }

        var reserve = Math.Min((4 * lastTurnBytes) - stream.ShareUsedBytes, Math.Min(Room(stream), FreeBytes));
        if (reserve > 0 && stream.ShareOfWrite == _write)
        {
            stream.ReservedBytes = reserve;
            _reservedBytes += reserve;
        }
    }

    // What the output has room for, apart from what is reserved.
    private int FreeBytes => _highWaterBytes - _output.Length - _reservedBytes;

    private int ReservedFor(Http2Stream stream) => stream.ShareOfWrite == _write ? stream.ReservedBytes : 0;

    // What windows and the stream's share of this write leave.
    private int Room(Http2Stream stream)
    {
        var share = stream.ShareOfWrite == _write ? _shareBytes - stream.ShareUsedBytes : _shareBytes;
        return Math.Min(share, Math.Min(stream.SendWindow.AvailableBytes, _connectionWindow.AvailableBytes));
    }

    private void Count(Http2Stream stream, int bytes)
    {
        SentBytes += bytes;
        stream.SendWindow.Take(bytes);
        _connectionWindow.Take(bytes);
        if (stream.ShareOfWrite != _write)
        {
            (stream.ShareOfWrite, stream.ShareUsedBytes, stream.ReservedBytes) = (_write, 0, 0);
        }

        stream.ShareUsedBytes += bytes;
        var spent = Math.Min(bytes, stream.ReservedBytes);
        stream.ReservedBytes -= spent;
        _reservedBytes -= spent;
    }

    private readonly struct RawPayload(PendingSend send, int length) : IPayload
    {
        public int Length => length;

        public void WriteTo(Span<byte> destination) => send.Left[..length].CopyTo(destination);
    }
}
