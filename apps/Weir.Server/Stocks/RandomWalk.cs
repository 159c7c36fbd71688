namespace Weir.Server.Stocks;

/// <summary>Prices of one symbol that nobody publishes: a geometric random walk, the same for the same seed and symbol. Not safe for several threads.</summary>
internal sealed class RandomWalk
{
    private const double StepDeviation = 0.002; // standard deviation of a step, relative to the price
    private const double MinPrice = 0.01;
    private readonly Random _random;
    private double _price;

    public RandomWalk(string symbol, int seed)
    {
        _random = new Random(unchecked((int)Hash(symbol) ^ seed));
        _price = 10 + (490 * _random.NextDouble());
    }

    /// <summary>The price now, in whole cents.</summary>
    public double Price => Math.Max(MinPrice, Math.Round(_price, 2));

    public void Step()
    {
        // Box and Muller's normal deviate; 1 - x keeps the logarithm's argument above zero.
        var normal = Math.Sqrt(-2 * Math.Log(1 - _random.NextDouble())) * Math.Cos(2 * Math.PI * _random.NextDouble());
        _price = Math.Max(MinPrice, _price * Math.Exp(StepDeviation * normal));
    }

    // FNV-1a: string.GetHashCode differs from run to run.
    private static uint Hash(string symbol)
    {
        var hash = 2166136261u;
        foreach (var letter in symbol)
            hash = unchecked((hash ^ letter) * 16777619u);
        return hash;
    }
}
