namespace Weir.Http2;

/// <summary>Who has said GOAWAY, and what it means for streams (RFC 9113 §6.8). Guarded by the connection's lock.</summary>
internal sealed class GoAwayExchange
{
    /// <summary>The opaque data of the PING between a server's two GOAWAYs: its answer tells that the peer has seen the first.</summary>
    public const long DrainPing = long.MinValue;

    private bool _begun;
    private bool _peerLeaves;

    /// <summary>Whether this side has said its last GOAWAY: streams above <see cref="LastStreamId"/> are ignored.</summary>
    public bool IsFinal { get; private set; }

    /// <summary>The last stream this side has promised to serve; it never grows.</summary>
    public int LastStreamId { get; private set; } = Http2Protocol.LargestStreamId;

    /// <summary>Whether new streams may be opened by this side.</summary>
    public bool TakesNewStreams => !_begun && !_peerLeaves;

    /// <summary>Whether the connection ends with its last stream.</summary>
    public bool EndsWithLastStream => IsFinal || _peerLeaves;

    /// <summary>Why it ends then.</summary>
    public string EndReason => _peerLeaves ? "The peer went away and no stream is left." : "Drained.";

    /// <summary>This side begins to leave; false when it has already.</summary>
    public bool TryBegin()
    {
        var begins = !_begun;
        _begun = true;
        return begins;
    }

    /// <summary>This side says its last GOAWAY; false when it was not begun, or is said already.</summary>
    public bool TryFinish(int lastStreamId)
    {
        if (!_begun || IsFinal)
        {
            return false;
        }

        IsFinal = true;
        LastStreamId = lastStreamId;
        return true;
    }

    public void PeerLeaves() => _peerLeaves = true;
}
