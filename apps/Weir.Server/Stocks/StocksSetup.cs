namespace Weir.Server.Stocks;

internal static class StocksSetup
{
    /// <summary>Adds the price calls with their settings.</summary>
    public static IServiceCollection AddStocks(this IServiceCollection services)
    {
        services.AddOptions<StocksOptions>().BindConfiguration("Stocks")
            .Validate(options => options.IsValid, "Stocks: TickInterval must be 1 ms to 1 day and MaxPublishedSymbols 1 or more.").ValidateOnStart();
        return services.AddSingleton<StockBoard>().AddSingleton<StocksHandler>();
    }
}
