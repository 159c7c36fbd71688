using Weir.Rpc;
using Weir.Server.Stocks;
using Weir.V1;

namespace Weir.Server.Tests.Stocks;

public sealed class PublishPricesTests : IDisposable
{
    private readonly StocksFixture _stocks = new();

    public void Dispose() => _stocks.Dispose();

    [Fact]
    public async Task A_published_price_reaches_watchers_at_once_and_ends_the_walk()
    {
        await using var watcher = _stocks.Watch("AAPL");
        await watcher.NextAsync();
        var next = watcher.NextAsync();
        Assert.Equal(1, (await _stocks.PublishAsync(new StockPrice { Symbol = "AAPL", Price = 12.5, Timestamp = 7 })).Accepted);
        Assert.Equal(new StockPrice { Symbol = "AAPL", Price = 12.5, Timestamp = 7 }, await next);
        Assert.Equal(0, _stocks.Board.WalkingCount);
        var later = watcher.MoveAsync();
        _stocks.Time.Advance(TimeSpan.FromMinutes(1));
        Assert.False(later.IsCompleted);
        watcher.Call.Cancel();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => later);
    }

    [Fact]
    public async Task A_watcher_that_comes_later_gets_the_latest_published_price()
    {
        await _stocks.PublishAsync(new StockPrice { Symbol = "AAPL", Price = 1 }, new StockPrice { Symbol = "AAPL", Price = 2 });
        for (var visit = 0; visit < 2; visit++)
        {
            await using var watcher = _stocks.Watch("AAPL");
            Assert.Equal(new StockPrice { Symbol = "AAPL", Price = 2, Timestamp = 1_800_000_000 }, await watcher.NextAsync());
            Assert.Equal(0, _stocks.Board.WalkingCount);
        }
    }

    [Theory]
    [InlineData(double.NaN, "Price 2 of the stream is wrong. The price is NaN; it must be 0 or more and finite.")]
    [InlineData(double.PositiveInfinity, "Price 2 of the stream is wrong. The price is Infinity; it must be 0 or more and finite.")]
    [InlineData(-0.5, "Price 2 of the stream is wrong. The price is -0.5; it must be 0 or more and finite.")]
    public async Task A_price_that_cannot_be_is_InvalidArgument_with_its_position(double price, string detail)
    {
        var error = await Assert.ThrowsAsync<RpcException>(() => _stocks.PublishAsync(
            new StockPrice { Symbol = "A", Price = 0 }, new StockPrice { Symbol = "A", Price = price }));
        Assert.Equal(new Status(StatusCode.InvalidArgument, detail), error.Status);
    }

    [Fact]
    public async Task A_bad_symbol_is_InvalidArgument_with_its_position()
    {
        var error = await Assert.ThrowsAsync<RpcException>(() => _stocks.PublishAsync(new StockPrice { Price = 1 }));
        Assert.Equal(new Status(StatusCode.InvalidArgument, "Price 1 of the stream is wrong. The symbol is empty."), error.Status);
    }

    [Fact]
    public async Task More_symbols_than_allowed_are_ResourceExhausted_and_known_ones_go_on()
    {
        using var stocks = new StocksFixture(new StocksOptions { MaxPublishedSymbols = 2 });
        await stocks.PublishAsync(new StockPrice { Symbol = "A", Price = 1 }, new StockPrice { Symbol = "B", Price = 1 });
        var error = await Assert.ThrowsAsync<RpcException>(() => stocks.PublishAsync(new StockPrice { Symbol = "C", Price = 1 }));
        Assert.Equal(new Status(StatusCode.ResourceExhausted, "2 symbols have published prices, which is the limit; \"C\" would be one more."), error.Status);
        Assert.Equal(1, (await stocks.PublishAsync(new StockPrice { Symbol = "A", Price = 2 })).Accepted);
        Assert.Equal(2, stocks.Board.LineCount);
    }
}
