namespace Weir.Server.Stocks;

/// <summary>Settings of the prices.</summary>
internal sealed class StocksOptions
{
    /// <summary>Time between two steps of the random walks. 1 ms to 1 day. Default 1 s.</summary>
    public TimeSpan TickInterval { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Chooses the random walks: the same seed and symbol give the same prices in the same order. Default 1.</summary>
    public int Seed { get; init; } = 1;

    /// <summary>Symbols with a published price that are kept. 1 or more. Default 10,000.</summary>
    public int MaxPublishedSymbols { get; init; } = 10_000;
}
