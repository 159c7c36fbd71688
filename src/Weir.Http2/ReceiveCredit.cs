using System.Buffers.Binary;

namespace Weir.Http2;

/// <summary>The windows this side gives the peer: one for the connection, one for each stream. Counts what arrives and what is consumed, and
/// announces it in batches; makes them larger when they hold the peer back. Guarded by the connection's lock.</summary>
/// <remarks>A stream's window grows with what its reader consumes (<see cref="WindowGrowth"/>), so that it holds no more than it began with when nobody reads.
/// The connection's grows in the same way, and keeps ahead of its streams: it is twice the largest of them, and has room for one more
/// stream besides what is unread, so that readers who stand still stop nobody else before the bound.</remarks>
internal sealed class ReceiveCredit
{
    private readonly Http2Options _options;
    private readonly OutputBuffer _output;
    private readonly WindowGrowth _growth;
    private readonly int _largestStreamBytes;
    private readonly int _largestConnectionBytes;
    private readonly int _reserveBytes;
    private readonly ReceiveWindow _initialStream;
    private ReceiveWindow _connection;
    private bool _settingsAcknowledged;
    private bool _closed;

    public ReceiveCredit(Http2Options options, OutputBuffer output)
    {
        (_options, _output, _growth) = (options, output, new WindowGrowth(options.TimeProvider));
        _initialStream = new ReceiveWindow(options.StreamWindowBytes);
        _connection = new ReceiveWindow(options.ConnectionWindowBytes);
        _largestStreamBytes = Math.Max(options.StreamWindowBytes, options.MaxStreamWindowBytes);
        _largestConnectionBytes = Math.Max(options.ConnectionWindowBytes, options.MaxConnectionWindowBytes);

        // Where the connection's window was chosen smaller than two streams', it is meant to be what holds them.
        _reserveBytes = options.ConnectionWindowBytes / 2 >= options.StreamWindowBytes ? options.StreamWindowBytes : 0;
    }

    /// <summary>The size of the connection's window.</summary>
    public int ConnectionSizeBytes => _connection.SizeBytes;

    // §6.9.3: a peer that has not seen our SETTINGS yet may fill the protocol's initial window although ours is smaller.
    private int AllowedBeforeSettings => Math.Max(0, Http2Protocol.DefaultWindowBytes - _options.StreamWindowBytes);

    /// <summary>The window of a stream that opens now.</summary>
    public ReceiveWindow OpenWindow()
    {
        var window = _initialStream;
        if (!_settingsAcknowledged)
        {
            window.Allow(AllowedBeforeSettings);
        }

        return window;
    }

    /// <summary>The peer goes by our SETTINGS from now on. False when it has said so before.</summary>
    public bool TryAcknowledge(IEnumerable<Http2Stream> open)
    {
        if (_settingsAcknowledged)
        {
            return false;
        }

        _settingsAcknowledged = true;
        foreach (var stream in open)
        {
            stream.ReceiveWindow.Allow(-AllowedBeforeSettings);
        }

        return true;
    }

    /// <summary>Counts octets that arrived on the connection; false when its window does not allow them.</summary>
    /// <param name="bytes">How many.</param>
    /// <param name="announced">Whether a larger window was appended: unread octets have left too little of it.</param>
    public bool TryReceive(int bytes, out bool announced)
    {
        announced = false;
        if (!_connection.TryReceive(bytes))
        {
            return false;
        }

        _growth.RoundTrip.CountReceived(bytes);
        if (_connection.SizeBytes - _connection.UnreadBytes < _reserveBytes && !_growth.IsStopped)
        {
            // In steps of the connection's batches, so that many small frames do not bring as many updates.
            announced = GrowConnection((long)_connection.SizeBytes + (_options.ConnectionWindowBytes / 2));
        }

        return true;
    }

    /// <summary>Takes the answer to a PING that measures the round trip; false when none is under way.</summary>
    public bool TryAnswerPing() => _growth.RoundTrip.TryAnswer();

    /// <summary>Counts octets as consumed, on the connection and on <paramref name="stream"/> if the peer may still send on it.</summary>
    public void Consume(Http2Stream? stream, int bytes)
    {
        ConsumeOnConnection(bytes);
        if (stream is not null && IsWanted(stream) && stream.ReceiveWindow.Consume(bytes) is > 0 and var increment)
        {
            ref var window = ref stream.ReceiveWindow;
            var growth = _growth.OnBatch(ref window, window.SizeBytes, window.KeptUp, _largestStreamBytes, out var ping);
            _output.PrependWindowUpdate(stream.Id, increment + window.Grow(growth));
            PingIf(ping);
            if (growth > 0)
            {
                GrowConnection(2L * window.SizeBytes);
            }
        }
    }

    /// <summary>Counts octets as consumed on the connection alone: their stream has ended.</summary>
    public void ConsumeOnConnection(int bytes)
    {
        if (bytes > 0 && !_closed && _connection.Consume(bytes) is > 0 and var increment)
        {
            // What is unread here may be so for good; others make do with the rest, whose size then counts.
            var room = _connection.SizeBytes - _connection.UnreadBytes;
            var growth = _growth.OnBatch(ref _connection, room, keptUp: true, _largestConnectionBytes, out var ping);
            _output.PrependWindowUpdate(0, increment + _connection.Grow(growth));
            PingIf(ping);
        }
    }

    /// <summary>One side has said GOAWAY: windows are given back as before, but they stay as they are.</summary>
    public void StopGrowth() => _growth.Stop();

    /// <summary>Nothing is announced any more.</summary>
    public void Close()
    {
        StopGrowth();
        _closed = true;
    }

    private bool IsWanted(Http2Stream stream) => !_closed && !stream.RemoteEnded && stream.Abort is null;

    private bool GrowConnection(long size)
    {
        var growth = (int)(Math.Min(size, _largestConnectionBytes) - _connection.SizeBytes);
        if (growth <= 0)
        {
            return false;
        }

        _output.PrependWindowUpdate(0, _connection.Grow(growth));
        return true;
    }

    private void PingIf(bool ping)
    {
        if (ping)
        {
            Span<byte> opaque = stackalloc byte[8];
            BinaryPrimitives.WriteInt64BigEndian(opaque, RoundTrip.Ping);
            _output.PrependPing(acknowledge: false, opaque);
        }
    }
}
