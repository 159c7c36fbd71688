namespace Weir.Http2;

/// <summary>The windows this side gives the peer: one for the connection, one for each stream. Counts what arrives and what is consumed, and
/// announces it in batches. Guarded by the connection's lock.</summary>
internal sealed class ReceiveCredit(Http2Options options, OutputBuffer output)
{
    private ReceiveWindow _connection = new(options.ConnectionWindowBytes);
    private bool _settingsAcknowledged;
    private bool _closed;

    // §6.9.3: a peer that has not seen our SETTINGS yet may fill the protocol's initial window although ours is smaller.
    private int AllowedBeforeSettings => Math.Max(0, Http2Protocol.DefaultWindowBytes - options.StreamWindowBytes);

    /// <summary>The window of a stream that opens now.</summary>
    public ReceiveWindow OpenWindow()
    {
        var window = new ReceiveWindow(options.StreamWindowBytes);
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
    public bool TryReceive(int bytes) => _connection.TryReceive(bytes);

    /// <summary>Counts octets as consumed, on the connection and on <paramref name="stream"/> if the peer may still send on it.</summary>
    public void Consume(Http2Stream? stream, int bytes)
    {
        ConsumeOnConnection(bytes);
        if (stream is not null && IsWanted(stream) && stream.ReceiveWindow.Consume(bytes) is > 0 and var increment)
        {
            output.PrependWindowUpdate(stream.Id, increment);
        }
    }

    /// <summary>Counts octets as consumed on the connection alone: their stream has ended.</summary>
    public void ConsumeOnConnection(int bytes)
    {
        if (bytes > 0 && !_closed && _connection.Consume(bytes) is > 0 and var increment)
        {
            output.PrependWindowUpdate(0, increment);
        }
    }

    /// <summary>Nothing is announced after GOAWAY.</summary>
    public void Close() => _closed = true;

    private bool IsWanted(Http2Stream stream) => !_closed && !stream.RemoteEnded && stream.Abort is null;
}
