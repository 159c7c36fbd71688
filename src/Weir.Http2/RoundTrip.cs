namespace Weir.Http2;

/// <summary>The least round trip to the peer, by PINGs while much comes from it. Guarded by the connection's lock; does no I/O.</summary>
/// <remarks>Peers count PINGs as strikes unless they have sent HEADERS or DATA since the one before (gRFC A8). So one at a time is under way, and the
/// next follows only what came after the answer, which the peer has sent after it. Some peers wipe the strikes away by the message instead of by the frame,
/// and end the connection with the third: hence the short burst and the interval after it. The least and not the latest
/// counts, because what queues up before an answer is no distance; it is known for good, because a path seldom becomes longer.</remarks>
internal sealed class RoundTrip(TimeProvider time)
{
    /// <summary>The opaque data of these PINGs.</summary>
    public const long Ping = long.MinValue + 2;

    // So many PINGs may follow each other at once, as the first are those that decide.
    private const int BurstCount = 3;

    // Octets that must come after an answer before the next PING.
    private const int LeastBytesBetween = 256 * 1024;

    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(2);

    private long _receivedBytes; // since the last answer
    private long _sentAt;
    private int _sentCount;

    /// <summary>The least round trip seen; null before the first answer.</summary>
    public TimeSpan? Least { get; private set; }

    /// <summary>Whether a PING is not answered yet.</summary>
    public bool IsUnderWay { get; private set; }

    /// <summary>Counts octets of DATA that came.</summary>
    public void CountReceived(int bytes) => _receivedBytes += bytes;

    /// <summary>Whether a PING is to be sent now; it counts as sent then.</summary>
    public bool TryPing(long now)
    {
        if (IsUnderWay || _receivedBytes < LeastBytesBetween || (_sentCount >= BurstCount && time.GetElapsedTime(_sentAt, now) < Interval))
        {
            return false;
        }

        (IsUnderWay, _sentAt) = (true, now);
        _sentCount++;
        return true;
    }

    /// <summary>Takes an answer; false when no PING is under way.</summary>
    public bool TryAnswer()
    {
        if (!IsUnderWay)
        {
            return false;
        }

        var roundTrip = time.GetElapsedTime(_sentAt);
        Least = Least is { } least && least < roundTrip ? least : roundTrip;
        (IsUnderWay, _receivedBytes) = (false, 0);
        return true;
    }
}
