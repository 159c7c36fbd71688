namespace Weir.Http2;

/// <summary>Decides by how much a receive window grows: to twice the bandwidth-delay product, where that comes near what the window lets pass.
/// Asked whenever a batch is given back, and so never by small traffic. Guarded by the connection's lock; does no I/O.</summary>
/// <remarks>The product is what was consumed in a round, scaled to the least round trip. A window that is the limit lets its own size pass in a
/// round trip, less a batch; one that is half as large again is no limit any more and stays as it is. As the round trip never gets longer here,
/// each step needs a higher rate than the one before: what only queues up between the peer's application and this one makes no window grow.</remarks>
internal sealed class WindowGrowth(TimeProvider time)
{
    // A batch that takes longer is no bulk, unless the round trip is known to be longer still: it is worth no PING.
    private static readonly TimeSpan LongestBatch = TimeSpan.FromMilliseconds(250);

    // A window that lets 10 Gbit/s pass is large enough. On loopback, where octets that queue up take longer than their way, all are.
    private const double FastBytesPerSecond = 1.25e9;

    /// <summary>Whether windows stay as they are from now on.</summary>
    public bool IsStopped { get; private set; }

    public RoundTrip RoundTrip { get; } = new(time);

    /// <summary>No more PINGs and no larger windows: one side is leaving.</summary>
    public void Stop() => IsStopped = true;

    /// <summary>Takes note of a batch that was given back on a window.</summary>
    /// <param name="window">The window, after it.</param>
    /// <param name="roomBytes">What of it the peer can use: less than its size when readers hold part of it for good.</param>
    /// <param name="keptUp">Whether who consumes has kept up.</param>
    /// <param name="mostBytes">The largest size it may have.</param>
    /// <param name="ping">Whether a PING with <see cref="RoundTrip.Ping"/> is to be sent.</param>
    /// <returns>Octets to grow by.</returns>
    public int OnBatch(ref ReceiveWindow window, int roomBytes, bool keptUp, int mostBytes, out bool ping)
    {
        ping = false;
        if (IsStopped || window.SizeBytes >= mostBytes)
        {
            return 0;
        }

        var now = time.GetTimestamp();
        if (!window.TryGetRound(out var beganAt, out var bytes, out var batches))
        {
            window.BeginRound(now);
            return 0;
        }

        if (RoundTrip.IsUnderWay)
        {
            return 0; // the answer may say that the round trip is shorter than was thought
        }

        var growth = 0;
        var elapsed = time.GetElapsedTime(beganAt, now);
        var isBulk = elapsed <= LongestBatch * batches;
        if (RoundTrip.Least is { } least)
        {
            if (elapsed < least)
            {
                return 0;
            }

            if (keptUp && elapsed > TimeSpan.Zero && roomBytes < least.TotalSeconds * FastBytesPerSecond)
            {
                growth = Growth(bytes * (least / elapsed), roomBytes, window.BatchBytes, mostBytes - window.SizeBytes);
            }
        }

        ping = isBulk && RoundTrip.TryPing(now);
        window.BeginRound(now);
        return growth;
    }

    // Almost a batch may wait to be given back for as long as the peer waits for it: so much less passes in a round trip.
    private static int Growth(double productBytes, int roomBytes, int batchBytes, int mostBytes) =>
        productBytes < (roomBytes - batchBytes) * (2.0 / 3) ? 0 : (int)Math.Min(Math.Min((2 * productBytes) + batchBytes - roomBytes, roomBytes), mostBytes);
}
