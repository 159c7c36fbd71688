using Weir.Rpc;
using Weir.V1;

namespace Weir.Server.Stocks;

/// <summary>One symbol that is watched or published. The board's lock owns everything but <see cref="Latest"/>, which readers read without it.</summary>
internal sealed class StockLine(string symbol)
{
    private SharedMessage<StockPrice>? _latest;

    public string Symbol { get; } = symbol;

    /// <summary>The latest price, serialised once for all its readers. The message never changes.</summary>
    public SharedMessage<StockPrice>? Latest => Volatile.Read(ref _latest);

    /// <summary>The symbol's random walk; null once somebody has published a price.</summary>
    public RandomWalk? Walk { get; set; }

    public List<PriceWatch> Watches { get; } = [];

    public void Set(StockPrice price)
    {
        Volatile.Write(ref _latest, new SharedMessage<StockPrice>(price));
        foreach (var watch in Watches)
            watch.Mark(this);
    }
}
