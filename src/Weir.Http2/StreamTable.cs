namespace Weir.Http2;

/// <summary>How a stream that is no longer in the table came to its end.</summary>
internal enum StreamEnd
{
    /// <summary>Too long ago to know.</summary>
    Forgotten,

    /// <summary>Both sides sent END_STREAM.</summary>
    Normal,

    /// <summary>This side sent RST_STREAM: what the peer sent before it knew is still under way.</summary>
    LocalReset,

    /// <summary>The peer sent RST_STREAM.</summary>
    PeerReset,

    /// <summary>Never opened: the peer opened a stream with a larger identifier, which closed it (RFC 9113 §5.1.1).</summary>
    Skipped,
}

/// <summary>The open streams of a connection, and how the last closed ones ended. Only the client opens streams (no server push), so all
/// identifiers are odd (RFC 9113 §5.1.1). Guarded by the connection's lock.</summary>
internal sealed class StreamTable
{
    // Closed streams remembered: enough for what may be under way when a stream ends. A power of two.
    private const int RememberedCount = 128;

    // An empty table with more room than this gives it back: thousands of streams at once leave hundreds of kilobytes.
    private const int LargestKeptCapacity = 1024;

    private readonly Dictionary<int, Http2Stream> _open = [];
    private readonly (int StreamId, StreamEnd End)[] _closed = new (int, StreamEnd)[RememberedCount];

    public int Count => _open.Count;

    /// <summary>How many streams the table has room for.</summary>
    public int Capacity => _open.Capacity;

    /// <summary>The largest identifier that was opened; 0 before the first.</summary>
    public int LastStreamId { get; private set; }

    public Dictionary<int, Http2Stream>.ValueCollection Open => _open.Values;

    public Http2Stream? Find(int streamId) => _open.GetValueOrDefault(streamId);

    public void Add(Http2Stream stream)
    {
        _open.Add(stream.Id, stream);
        Skip(stream.Id);
    }

    /// <summary>Counts an identifier as used without opening its stream, because it is refused.</summary>
    public void Skip(int streamId)
    {
        var firstPassedOver = LastStreamId == 0 ? 1 : LastStreamId + 2;
        for (var id = Math.Max(firstPassedOver, streamId - (2 * RememberedCount)); id < streamId; id += 2)
        {
            Remember(id, StreamEnd.Skipped);
        }

        LastStreamId = Math.Max(LastStreamId, streamId);
    }

    /// <summary>Takes a stream out. False when it is out already.</summary>
    public bool Remove(int streamId, StreamEnd end)
    {
        Remember(streamId, end);
        var removed = _open.Remove(streamId);
        if (_open.Count == 0 && _open.Capacity > LargestKeptCapacity)
        {
            _open.TrimExcess();
        }

        return removed;
    }

    public void Remember(int streamId, StreamEnd end) => _closed[(streamId >> 1) & (RememberedCount - 1)] = (streamId, end);

    public StreamEnd HowEnded(int streamId)
    {
        var remembered = _closed[(streamId >> 1) & (RememberedCount - 1)];
        return remembered.StreamId == streamId ? remembered.End : StreamEnd.Forgotten;
    }
}
