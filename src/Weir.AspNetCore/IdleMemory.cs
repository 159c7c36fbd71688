namespace Weir.Server.Hosting;

/// <summary>Gives memory back to the system once a burst is over: the runtime collects when something allocates, and a server without calls allocates
/// nothing, so that what a burst has left would stay for good.</summary>
internal sealed class IdleMemory(TimeProvider time) : BackgroundService
{
    // A period in which less was allocated is a quiet one.
    private const long QuietBytes = 4 * 1024 * 1024;

    // Less than this between what the runtime holds and what is in use is not worth a collection.
    private const long LeastGainBytes = 32 * 1024 * 1024;

    private static readonly TimeSpan Period = TimeSpan.FromSeconds(10);

    /// <summary>Whether a collection is due after a period.</summary>
    /// <param name="allocatedBytes">What was allocated in the period.</param>
    /// <param name="allocatedSinceTrimBytes">What was allocated since the last collection that was due.</param>
    public static bool IsDue(long allocatedBytes, long allocatedSinceTrimBytes) => allocatedBytes < QuietBytes && allocatedSinceTrimBytes > LeastGainBytes;

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Period, time);
        var (before, trimmed) = (GC.GetTotalAllocatedBytes(), 0L);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                var now = GC.GetTotalAllocatedBytes();
                if (IsDue(now - before, now - trimmed))
                {
                    GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
                    trimmed = now;
                }

                before = now;
            }
        }
        catch (OperationCanceledException)
        {
            // The server stops.
        }
    }
}
