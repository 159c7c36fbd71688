using Weir.V1;

namespace Weir.Server.Stocks;

/// <summary>One symbol that is watched or published. The board's lock owns everything but <see cref="Latest"/>, which readers read without it.</summary>
internal sealed class StockLine(string symbol)
{
    private StockPrice? _latest;

    public string Symbol { get; } = symbol;

    /// <summary>The latest price. The message is shared by all its readers and never changes.</summary>
    public StockPrice? Latest => Volatile.Read(ref _latest);

    /// <summary>The symbol's random walk; null once somebody has published a price.</summary>
    public RandomWalk? Walk { get; set; }

    public List<PriceWatch> Watches { get; } = [];

    public void Set(StockPrice price)
    {
        Volatile.Write(ref _latest, price);
        foreach (var watch in Watches)
            watch.Mark(this);
    }
}
