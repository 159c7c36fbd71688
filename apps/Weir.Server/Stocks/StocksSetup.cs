namespace Weir.Server.Stocks;

internal static class StocksSetup
{
    /// <summary>Adds the price calls with their settings.</summary>
    public static IServiceCollection AddStocks(this IServiceCollection services, StocksOptions options) =>
        services.AddSingleton(options).AddSingleton<StockBoard>().AddSingleton<StocksHandler>();
}
