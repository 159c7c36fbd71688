namespace Weir.Server.Stocks;

/// <summary>Settings of the prices, from the configuration section "Stocks".</summary>
public sealed class StocksOptions
{
    /// <summary>Time between two steps of the random walks. 1 ms to 1 day. Default 1 s.</summary>
    public TimeSpan TickInterval { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>Chooses the random walks: the same seed and symbol give the same prices in the same order. Default 1.</summary>
    public int Seed { get; set; } = 1;

    /// <summary>Symbols with a published price that are kept. 1 or more. Default 10,000.</summary>
    public int MaxPublishedSymbols { get; set; } = 10_000;

    internal bool IsValid => TickInterval >= TimeSpan.FromMilliseconds(1) && TickInterval <= TimeSpan.FromDays(1) && MaxPublishedSymbols > 0;
}
