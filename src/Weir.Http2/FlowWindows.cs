using System.Diagnostics;

namespace Weir.Http2;

/// <summary>What the peer lets this side send (RFC 9113 §6.9): one for the connection and one for each stream. May be negative after
/// SETTINGS made it smaller (§6.9.2). Guarded by the connection's lock.</summary>
internal struct SendWindow(int initialBytes)
{
    /// <summary>Octets that may be sent now; 0 or less means none.</summary>
    public int AvailableBytes { get; private set; } = initialBytes;

    /// <summary>Counts octets that are sent.</summary>
    public void Take(int bytes)
    {
        Debug.Assert(bytes >= 0 && bytes <= Math.Max(AvailableBytes, 0));
        AvailableBytes -= bytes;
    }

    /// <summary>Adds what WINDOW_UPDATE or a changed SETTINGS_INITIAL_WINDOW_SIZE says. False when the window would leave its range (§6.9.1).</summary>
    public bool TryAdd(int delta)
    {
        var sum = (long)AvailableBytes + delta;
        if (sum > Http2Protocol.LargestWindowBytes || sum < int.MinValue)
        {
            return false;
        }

        AvailableBytes = (int)sum;
        return true;
    }
}

/// <summary>What this side lets the peer send. At any time: announced + received and not consumed + consumed and not given back = size.
/// Given back in batches of half the size. Guarded by the connection's lock.</summary>
internal struct ReceiveWindow
{
    private readonly int _sizeBytes;
    private int _announcedBytes;
    private int _consumedBytes;

    public ReceiveWindow(int sizeBytes)
    {
        _sizeBytes = sizeBytes;
        _announcedBytes = sizeBytes;
    }

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
        Debug.Assert(_announcedBytes + (long)_consumedBytes <= Math.Max(_sizeBytes, Http2Protocol.DefaultWindowBytes));
        return _consumedBytes < Math.Max(_sizeBytes / 2, 1) ? 0 : GiveBack();
    }

    private int GiveBack()
    {
        var increment = _consumedBytes;
        _announcedBytes += increment;
        _consumedBytes = 0;
        return increment;
    }
}
