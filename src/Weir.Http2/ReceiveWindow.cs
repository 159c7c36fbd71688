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

    // The round: since when, and what was consumed in it.
    private long _roundBeganAt;
    private long _roundBytes;
    private bool _inRound;

    public ReceiveWindow(int sizeBytes)
    {
        SizeBytes = sizeBytes;
        BatchBytes = Math.Max(sizeBytes / 2, 1);
        _announcedBytes = sizeBytes;
    }

    /// <summary>Octets that may be announced, unread and not given back, all together.</summary>
    public int SizeBytes { get; private set; }

    /// <summary>Octets that are given back at once; fewer wait for more.</summary>
    public int BatchBytes { get; private set; }

    /// <summary>Octets received and not consumed. Less than 0 while the peer may send more than the size, before it goes by our SETTINGS.</summary>
    public readonly int UnreadBytes => SizeBytes - _announcedBytes - _consumedBytes;

    /// <summary>Whether the reader has kept up in this round: there was a time when it had consumed nearly all that had come. One that is slower than the peer
    /// finds the window full of what it has not read, however fast it reads for a while.</summary>
    public bool KeptUp { get; private set; }

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
        KeptUp |= UnreadBytes <= SizeBytes / 8;
        if (_consumedBytes < BatchBytes)
        {
            return 0;
        }

        var increment = _consumedBytes;
        _announcedBytes += increment;
        _consumedBytes = 0;
        _roundBytes += increment;
        return increment;
    }

    /// <summary>Makes the window larger. Returns the increment to announce for it.</summary>
    public int Grow(int bytes)
    {
        Debug.Assert(bytes >= 0 && (long)SizeBytes + bytes <= Http2Protocol.LargestWindowBytes);
        SizeBytes += bytes;
        _announcedBytes += bytes;
        BatchBytes = Math.Max(BatchBytes, SizeBytes / BatchesOfGrown);
        return bytes;
    }

    /// <summary>Begins a round with the batch that was given back last.</summary>
    public void BeginRound(long now)
    {
        (_inRound, _roundBeganAt, _roundBytes) = (true, now, 0);
        KeptUp = false;
    }

    /// <summary>What the round under way has seen. False when there is none.</summary>
    /// <param name="beganAt">The timestamp it began at.</param>
    /// <param name="bytes">Octets consumed since, in whole batches.</param>
    /// <param name="batches">How many batches they are, of today's size.</param>
    public readonly bool TryGetRound(out long beganAt, out long bytes, out long batches)
    {
        (beganAt, bytes, batches) = (_roundBeganAt, _roundBytes, _roundBytes / BatchBytes);
        return _inRound;
    }
}
