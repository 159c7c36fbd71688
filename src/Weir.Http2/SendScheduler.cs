using System.Diagnostics;

namespace Weir.Http2;

/// <summary>Decides whose octets go into the output next. A payload goes straight in while there is room in the output and in both windows;
/// otherwise it waits on its stream, and streams that wait take turns. Guarded by the connection's lock; does no I/O.</summary>
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
    private int _write;

    public SendScheduler(OutputBuffer output, int highWaterBytes)
    {
        _output = output;
        _highWaterBytes = highWaterBytes;
        _shareBytes = highWaterBytes;
    }

    /// <summary>The largest DATA frame to send, in octets of payload.</summary>
    public int MaxFrameBytes { get; set; } = Http2Protocol.DefaultMaxFrameBytes;

    /// <summary>What the connection's window has room for; 0 or less means nothing.</summary>
    public int ConnectionWindowBytes => _connectionWindow.AvailableBytes;

    /// <summary>Appends a payload if it may leave now; the stream has nothing waiting.</summary>
    public bool TryAppend<TPayload>(Http2Stream stream, ref TPayload payload, int length)
        where TPayload : struct, IPayload
    {
        Debug.Assert(stream.FirstPending is null);
        if (length > Room(stream) || OutputBuffer.WithFrames(length, MaxFrameBytes) > _highWaterBytes - _output.Length)
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
        stream.NextScheduled = null;
        _waitingStreams++;
        if (_last is null)
        {
            _first = _last = stream;
        }
        else
        {
            _last.NextScheduled = stream;
            _last = stream;
        }
    }

    /// <summary>Adds to the connection's window; false when it would overflow.</summary>
    public bool TryGrowConnectionWindow(int increment) => _connectionWindow.TryAdd(increment);

    /// <summary>A new write begins: everybody has a full share again, smaller the more streams wait.</summary>
    public void BeginWrite()
    {
        _write++;
        _shareBytes = _waitingStreams <= 1 ? _highWaterBytes : Math.Max(SmallestShareBytes, _highWaterBytes / _waitingStreams);
    }

    /// <summary>Moves waiting octets into the output while there is room, stream by stream.</summary>
    public void Pump()
    {
        // Each stream gets one turn: its share of this write. What is left over waits for the next one.
        for (var turns = _waitingStreams; turns > 0 && _first is not null; turns--)
        {
            if (_connectionWindow.AvailableBytes <= 0 || _output.Length >= _highWaterBytes)
            {
                return;
            }

            var stream = Dequeue();
            while (stream.FirstPending is { } pending)
            {
                var piece = Math.Min(pending.Left.Length, Math.Min(Room(stream), _highWaterBytes - _output.Length - Http2Protocol.FrameHeaderBytes));
                if (piece < 0 || (piece == 0 && pending.Left.Length > 0))
                {
                    break;
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

        Http2Stream? before = null;
        for (var at = _first; at != stream; at = at!.NextScheduled)
        {
            before = at;
        }

        if (before is null)
        {
            Dequeue();
            return;
        }

        before.NextScheduled = stream.NextScheduled;
        _last = _last == stream ? before : _last;
        stream.IsScheduled = false;
        stream.NextScheduled = null;
        _waitingStreams--;
    }

    private Http2Stream Dequeue()
    {
        var stream = _first!;
        _first = stream.NextScheduled;
        _last = _first is null ? null : _last;
        stream.IsScheduled = false;
        stream.NextScheduled = null;
        _waitingStreams--;
        return stream;
    }

    // What windows and the stream's share of this write leave.
    private int Room(Http2Stream stream)
    {
        var share = stream.ShareOfWrite == _write ? _shareBytes - stream.ShareUsedBytes : _shareBytes;
        return Math.Min(share, Math.Min(stream.SendWindow.AvailableBytes, _connectionWindow.AvailableBytes));
    }

    private void Count(Http2Stream stream, int bytes)
    {
        stream.SendWindow.Take(bytes);
        _connectionWindow.Take(bytes);
        if (stream.ShareOfWrite != _write)
        {
            (stream.ShareOfWrite, stream.ShareUsedBytes) = (_write, 0);
        }

        stream.ShareUsedBytes += bytes;
    }

    private readonly struct RawPayload(PendingSend send, int length) : IPayload
    {
        public int Length => length;

        public void WriteTo(Span<byte> destination) => send.Left[..length].CopyTo(destination);
    }
}
