using System.Runtime.CompilerServices;

namespace Weir.Cli.Commands;

/// <summary>Old prices at a new pace: those of one time together, then the next, <paramref name="speed"/> times a second.</summary>
/// <param name="prices">In the order of their time.</param>
/// <param name="speed">Times a second, to <see cref="MaxSpeed"/>; 0 means without waiting.</param>
/// <param name="time">The clock.</param>
internal sealed class ReplaySchedule(IReadOnlyList<StockPrice> prices, double speed, TimeProvider time)
{
    /// <summary>Faster than any timer; more than that is 0.</summary>
    public const double MaxSpeed = 100_000;

    public int Count => prices.Count;

    public async IAsyncEnumerable<StockPrice> PlayAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var start = time.GetTimestamp();
        var step = 0;
        for (var i = 0; i < prices.Count; i++)
        {
            if (i > 0 && prices[i].Timestamp != prices[i - 1].Timestamp && speed > 0)
            {
                // Counted from the start: waits that are a little long do not add up.
                var wait = TimeSpan.FromSeconds(++step / speed) - time.GetElapsedTime(start);
                if (wait > TimeSpan.Zero)
                    await Task.Delay(wait, time, cancellationToken);
            }

            cancellationToken.ThrowIfCancellationRequested();
            yield return prices[i];
        }
    }
}
