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
