using System.Runtime.CompilerServices;
using Weir.Rpc;
using Weir.V1;

namespace Weir.Server.Stocks;

/// <summary>The price calls.</summary>
internal sealed class StocksHandler(StockBoard board, TimeProvider time) : StockService.Server
{
    public override IAsyncEnumerable<StockPrice> GetStockPrices(StockRequest request, ServerCall call) =>
        WatchAsync(Symbols.Of(request), call.Draining, call.CancellationToken).ToResponses();

    public override IAsyncEnumerable<StockPrice> GetRealTimePrices(StockRequest request, ServerCall call) => GetStockPrices(request, call);

    /// <summary>A price without a timestamp gets the time of its arrival. The prices before a bad one stay published.</summary>
    public override async ValueTask<PublishPricesResponse> PublishPrices(IAsyncEnumerable<StockPrice> requests, ServerCall call)
    {
        var response = new PublishPricesResponse();
        await foreach (var price in requests.WithCancellation(call.CancellationToken))
        {
            if (FindFault(price) is { } fault)
                throw new RpcException(StatusCode.InvalidArgument, $"Price {response.Accepted + 1} of the stream is wrong. {fault}");
            if (price.Timestamp == 0)
                price.Timestamp = time.GetUtcNow().ToUnixTimeSeconds();
            board.Publish(price);
            response.Accepted++;
        }

        return response;
    }

    private static string? FindFault(StockPrice price)
    {
        if (Symbols.FindFault(price.Symbol) is { } fault)
            return fault;
        return double.IsFinite(price.Price) && price.Price >= 0 ? null : FormattableString.Invariant($"The price is {price.Price}; it must be 0 or more and finite.");
    }

    private async IAsyncEnumerable<SharedMessage<StockPrice>> WatchAsync(
        string[] symbols, CancellationToken draining, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, draining);
        var watch = board.Watch(symbols);
        try
        {
            while (true)
                yield return await NextAsync(watch, stop.Token, draining, cancellationToken);
        }
        finally
        {
            board.Unwatch(watch);
        }
    }

    // A watch has no end of its own: when the server stops, an error tells the client to connect again.
    private static async ValueTask<SharedMessage<StockPrice>> NextAsync(
        PriceWatch watch, CancellationToken stop, CancellationToken draining, CancellationToken cancellationToken)
    {
        try
        {
            return await watch.ReadAsync(stop);
        }
        catch (OperationCanceledException) when (draining.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new RpcException(StatusCode.Unavailable, "The server is stopping; connect again.");
        }
    }
}
