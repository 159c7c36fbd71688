using Microsoft.Extensions.Hosting;
using Weir.Http2;

namespace Weir.AspNetCore;

/// <summary>Gives memory back to the system once a burst is over: the runtime collects when something allocates, and a server without calls allocates
/// nothing, so that what a burst has left would stay for good.</summary>
internal sealed class IdleMemory(TimeProvider time) : BackgroundService
{
    // A period in which less was allocated is a quiet one.
    private const long QuietBytes = 4 * 1024 * 1024;

    // Less than this is not worth a collection.
    private const long LeastGainBytes = 32 * 1024 * 1024;

    private readonly PeriodicTimer _timer = new(Period, time);

    /// <summary>Called after each look, with whether memory was given back. For tests.</summary>
    internal event Action<bool>? Looked;

    /// <summary>How often is looked. A burst ends in one period, and the next is quiet.</summary>
    public static TimeSpan Period { get; } = TimeSpan.FromSeconds(5);

    /// <summary>Whether a collection is due after a period. Its pause grows with what is alive, so that it waits until as much has been allocated.</summary>
    /// <param name="allocatedBytes">What was allocated in the period.</param>
    /// <param name="allocatedSinceTrimBytes">What was allocated since the last collection that was due.</param>
    /// <param name="aliveBytes">What that collection has left.</param>
    public static bool IsDue(long allocatedBytes, long allocatedSinceTrimBytes, long aliveBytes) =>
        allocatedBytes < QuietBytes && allocatedSinceTrimBytes > Math.Max(LeastGainBytes, aliveBytes);

    /// <inheritdoc/>
    public override void Dispose()
    {
        _timer.Dispose();
        base.Dispose();
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var (before, trimmed, alive) = (GC.GetTotalAllocatedBytes(), 0L, 0L);
        try
        {
            while (await _timer.WaitForNextTickAsync(stoppingToken).ConfigureAwait(false))
            {
                var now = GC.GetTotalAllocatedBytes();
                var due = IsDue(now - before, now - trimmed, alive);
                if (due)
                {
                    Trim();
                    (trimmed, alive) = (now, GC.GetTotalMemory(forceFullCollection: false));
                }

                before = now;
                Looked?.Invoke(due);
            }
        }
        catch (OperationCanceledException)
        {
            // The server stops.
        }
    }

    private static void Trim()
    {
        OctetPool.Shared.Release();
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
    }
}
