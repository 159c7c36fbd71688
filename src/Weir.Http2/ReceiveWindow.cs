using System.Diagnostics;

namespace Weir.Http2;

/// <summary>What this side lets the peer send. At any time: announced + received and not consumed + consumed and not given back = size.
/// Given back in batches, of half the size it began with or a sixteenth of what it has grown to; the size only grows. Guarded by the
/// connection's lock.</summary>
/// <remarks>How fast its octets are consumed is measured in rounds, from one batch to another. Counting costs nothing between batches.</remarks>
internal struct ReceiveWindow
{
    // Of a window that has grown: fewer batches would cost room, more of them frames.
    private const int BatchesOfGrown = 16;

    private int _announcedBytes;
    private int _consumedBytes;

    private State _state; // shared with windows of the same size until the first batch: calls of few octets have none of their own

    public ReceiveWindow(int sizeBytes)
    {
        _state = new State { SizeBytes = sizeBytes, BatchBytes = Math.Max(sizeBytes / 2, 1) };
        _announcedBytes = sizeBytes;
    }

    /// <summary>Octets that may be announced, unread and not given back, all together.</summary>
    public readonly int SizeBytes => _state.SizeBytes;

    /// <summary>Octets that are given back at once; fewer wait for more.</summary>
    public readonly int BatchBytes => _state.BatchBytes;

    /// <summary>Octets received and not consumed. Less than 0 while the peer may send more than the size, before it goes by our SETTINGS.</summary>
    public readonly int UnreadBytes => SizeBytes - _announcedBytes - _consumedBytes;

    /// <summary>Whether the reader has kept up in this round: there was a time when it had consumed nearly all that had come. One that is slower than the peer
    /// finds the window full of what it has not read, however fast it reads for a while.</summary>
    public readonly bool KeptUp => _state.KeptUp;

    /// <summary>Counts octets that arrived. False when they are more than was announced: FLOW_CONTROL_ERROR (§6.9.1).</summary>
    public bool TryReceive(int bytes)
    {
        if (bytes > _announcedBytes)
        {
            return false;
        }

        _announcedBytes -= bytes;
        return true;
    }

    /// <summary>The peer still goes by a larger initial window than this side's: allows the difference, until <paramref name="bytes"/> less are allowed again.</summary>
    public void Allow(int bytes) => _announcedBytes += bytes;

    /// <summary>Counts octets that the application is done with. Returns the increment to announce now, or 0 to wait for more.</summary>
    public int Consume(int bytes)
    {
        _consumedBytes += bytes;
        Debug.Assert(_announcedBytes + (long)_consumedBytes <= Math.Max(SizeBytes, Http2Protocol.DefaultWindowBytes));
        if (_state.IsOwned)
        {
            _state.KeptUp |= UnreadBytes <= SizeBytes / 8;
        }

        if (_consumedBytes < BatchBytes)
        {
            return 0;
        }

        var increment = _consumedBytes;
        _announcedBytes += increment;
        _consumedBytes = 0;
        if (_state.IsOwned)
        {
            _state.RoundBytes += increment;
        }

        return increment;
    }

    /// <summary>Makes the window larger. Returns the increment to announce for it.</summary>
    public int Grow(int bytes)
    {
        Debug.Assert(bytes >= 0 && (long)SizeBytes + bytes <= Http2Protocol.LargestWindowBytes);
        if (bytes > 0)
        {
            var state = Own();
            state.SizeBytes += bytes;
            state.BatchBytes = Math.Max(state.BatchBytes, state.SizeBytes / BatchesOfGrown);
            _announcedBytes += bytes;
        }

        return bytes;
    }

    /// <summary>Begins a round with the batch that was given back last.</summary>
    public void BeginRound(long now)
    {
        var state = Own();
        (state.InRound, state.RoundBeganAt, state.RoundBytes, state.KeptUp) = (true, now, 0, false);
    }

    /// <summary>What the round under way has seen. False when there is none.</summary>
    /// <param name="beganAt">The timestamp it began at.</param>
    /// <param name="bytes">Octets consumed since, in whole batches.</param>
    /// <param name="batches">How many batches they are, of today's size.</param>
    public readonly bool TryGetRound(out long beganAt, out long bytes, out long batches)
    {
        (beganAt, bytes) = (_state.RoundBeganAt, _state.RoundBytes);
        batches = bytes / BatchBytes;
        return _state.InRound;
    }

    private State Own() => _state.IsOwned ? _state : _state = new State { IsOwned = true, SizeBytes = SizeBytes, BatchBytes = BatchBytes };

    private sealed class State
    {
        public bool IsOwned;
        public int SizeBytes;
        public int BatchBytes;

        // The round: since when, and what was consumed in it.
        public bool InRound;
        public long RoundBeganAt;
        public long RoundBytes;
        public bool KeptUp;
    }
}
