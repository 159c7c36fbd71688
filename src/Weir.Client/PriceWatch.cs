using System.Runtime.CompilerServices;
using Weir.V1;

namespace Weir.Client;

/// <summary>Live prices that go on after a break. Safe for use by any number of threads.</summary>
public sealed class PriceWatch
{
    private readonly CallInvoker _channel;
    private readonly StockService.Client _stocks;

    /// <summary>Uses a channel, which stays the caller's.</summary>
    public PriceWatch(CallInvoker channel)
    {
        _channel = channel;
        _stocks = new StockService.Client(channel);
    }

    /// <summary>The prices of some symbols as they change, until the loop is left. After a break the newest price comes next: what changed
    /// in between is not made up for. A reader that does not keep up gets the latest price of each symbol.</summary>
    /// <param name="symbols">1 to 100, each 1 to 32 printable ASCII characters.</param>
    /// <param name="reconnect">What to do when the connection breaks. Default <see cref="ReconnectOptions.Default"/>.</param>
    /// <param name="cancellationToken">Ends the loop with an <see cref="OperationCanceledException"/>.</param>
    /// <exception cref="RpcException">The server refused, or could not be reached for <see cref="ReconnectOptions.GiveUpAfter"/>.</exception>
    public async IAsyncEnumerable<StockPrice> WatchAsync(
        IEnumerable<string> symbols, ReconnectOptions? reconnect = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var request = new StockRequest();
        request.Symbols.AddRange(symbols);
        var attempts = new Reconnect(_channel, reconnect ?? ReconnectOptions.Default);
        while (true)
        {
            var began = attempts.Now();
            var prices = _stocks.GetStockPrices(request, cancellationToken: cancellationToken).GetAsyncEnumerator(cancellationToken);
            await using var _ = prices.ConfigureAwait(false);
            RpcException? broken;
            while ((broken = await NextAsync(prices).ConfigureAwait(false)) is null)
            {
                attempts.Progress();
                yield return prices.Current;
            }

            attempts.Held(began);
            await attempts.WaitAsync(broken, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Moves to the next price; what broke the stream, if it did. Prices have no end of their own: an end is a server that is going.</summary>
    private static async ValueTask<RpcException?> NextAsync(IAsyncEnumerator<StockPrice> prices)
    {
        try
        {
            return await prices.MoveNextAsync().ConfigureAwait(false)
                ? null
                : new RpcException(StatusCode.Unavailable, "The server ended the stream of prices.");
        }
        catch (RpcException e)
        {
            return e;
        }
    }
}
