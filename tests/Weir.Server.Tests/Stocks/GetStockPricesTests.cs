using Weir.Rpc;
using Weir.Server.Stocks;
using Weir.V1;

namespace Weir.Server.Tests.Stocks;

public sealed class GetStockPricesTests : IDisposable
{
    private readonly StocksFixture _stocks = new();

    public void Dispose() => _stocks.Dispose();

    [Fact]
    public async Task A_watcher_gets_the_latest_price_at_once_and_then_one_a_tick()
    {
        await using var watcher = _stocks.Watch("AAPL");
        var first = await watcher.NextAsync();
        Assert.Equal(("AAPL", 1_800_000_000L), (first.Symbol, first.Timestamp));
        var second = watcher.MoveAsync();
        _stocks.Time.Advance(TimeSpan.FromSeconds(0.999));
        Assert.False(second.IsCompleted);
        _stocks.Time.Advance(TimeSpan.FromSeconds(0.001));
        Assert.True(await second);
    }

    [Fact]
    public async Task The_walk_is_the_same_for_the_same_seed_and_symbol_only()
    {
        var walk = await WalkAsync("AAPL", seed: 1);
        Assert.Equal(walk, await WalkAsync("AAPL", seed: 1));
        Assert.NotEqual(walk, await WalkAsync("AAPL", seed: 2));
        Assert.NotEqual(walk, await WalkAsync("MSFT", seed: 1));
        Assert.All(walk, price => Assert.InRange(price, 0.01, 1_000));
        Assert.True(walk.Distinct().Count() > 10);
    }

    [Fact]
    public async Task Leaving_stops_the_work_and_forgets_the_symbol()
    {
        await using (var first = _stocks.Watch("AAPL", "MSFT"))
        await using (var second = _stocks.Watch("AAPL"))
        {
            await first.NextAsync();
            await second.NextAsync();
            Assert.Equal(2, _stocks.Board.WalkingCount);
            await first.DisposeAsync();
            Assert.Equal(1, _stocks.Board.WalkingCount);
        }

        Assert.Equal((0, 0), (_stocks.Board.WalkingCount, _stocks.Board.LineCount));
    }

    [Fact]
    public async Task A_cancelled_call_ends_while_it_waits_for_a_price()
    {
        await using var watcher = _stocks.Watch("AAPL");
        await watcher.NextAsync();
        var next = watcher.MoveAsync();
        watcher.Call.Cancel();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => next.WaitAsync(StocksFixture.Bound, TestContext.Current.CancellationToken));
        Assert.Equal(0, _stocks.Board.LineCount);
    }

    [Fact]
    public async Task A_draining_server_ends_the_watch_with_Unavailable()
    {
        await using var watcher = _stocks.Watch("AAPL");
        await watcher.NextAsync();
        var next = watcher.MoveAsync();
        watcher.Call.Drain();
        var error = await Assert.ThrowsAsync<RpcException>(() => next.WaitAsync(StocksFixture.Bound, TestContext.Current.CancellationToken));
        Assert.Equal(StatusCode.Unavailable, error.StatusCode);
        Assert.Equal(0, _stocks.Board.LineCount);
    }

    [Fact]
    public async Task A_slow_reader_gets_the_latest_price_of_each_symbol_once()
    {
        await using var watcher = _stocks.Watch("A", "B");
        await watcher.NextAsync();
        await watcher.NextAsync();
        for (var price = 1; price <= 1_000; price++)
            await _stocks.PublishAsync(new StockPrice { Symbol = "A", Price = price }, new StockPrice { Symbol = "B", Price = -price + 2_000 });
        Assert.Equal(new StockPrice { Symbol = "A", Price = 1_000, Timestamp = 1_800_000_000 }, await watcher.NextAsync());
        Assert.Equal(new StockPrice { Symbol = "B", Price = 1_000, Timestamp = 1_800_000_000 }, await watcher.NextAsync());
        var more = watcher.MoveAsync();
        Assert.False(more.IsCompleted);
        watcher.Call.Cancel();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => more);
    }

    [Fact]
    public async Task Both_names_of_the_call_and_both_fields_of_the_request_mean_the_same()
    {
        using var call = new TestCall();
        await using var prices = _stocks.Handler.GetRealTimePrices(new() { Symbol = "A", Symbols = { "B", "A" } }, call)
            .GetAsyncEnumerator(TestContext.Current.CancellationToken);
        Assert.True(await prices.MoveNextAsync());
        Assert.Equal("A", prices.Current.Symbol);
        Assert.True(await prices.MoveNextAsync());
        Assert.Equal("B", prices.Current.Symbol);
        Assert.Equal(2, _stocks.Board.LineCount);
    }

    [Theory]
    [InlineData("", "The symbol is empty.")]
    [InlineData("A B", "The symbol \"A B\" has characters other than printable ASCII.")]
    [InlineData("\u00c4", "The symbol \"?\" has characters other than printable ASCII.")]
    [InlineData("A\n", "The symbol \"A?\" has characters other than printable ASCII.")]
    [InlineData("123456789012345678901234567890123", "The symbol \"12345678901234567890123456789012...\" has 33 characters; at most 32 are allowed.")]
    public void A_symbol_that_no_source_can_have_is_InvalidArgument(string symbol, string detail)
    {
        using var call = new TestCall();
        foreach (var request in new[] { new StockRequest { Symbol = symbol }, StocksFixture.Request("GOOD", symbol) })
        {
            var error = Assert.Throws<RpcException>(() => _stocks.Handler.GetStockPrices(request, call));
            Assert.Equal(new Status(StatusCode.InvalidArgument, detail), error.Status);
        }

        Assert.Throws<RpcException>(() => _stocks.Handler.GetStockPrices(new StockRequest(), call));
    }

    [Fact]
    public async Task A_hundred_symbols_are_allowed_and_one_more_is_InvalidArgument()
    {
        await using var watcher = _stocks.Watch([.. Enumerable.Range(1, 100).Select(number => $"S{number}")]);
        for (var count = 0; count < 100; count++)
            await watcher.NextAsync();
        using var call = new TestCall();
        var request = StocksFixture.Request([.. Enumerable.Range(1, 100).Select(number => $"S{number}")]);
        request.Symbol = "T";
        var error = Assert.Throws<RpcException>(() => _stocks.Handler.GetStockPrices(request, call));
        Assert.Equal(new Status(StatusCode.InvalidArgument, "101 symbols were asked for; at most 100 are allowed."), error.Status);
    }

    private static async Task<double[]> WalkAsync(string symbol, int seed)
    {
        using var stocks = new StocksFixture(new StocksOptions { Seed = seed });
        await using var watcher = stocks.Watch(symbol);
        var prices = new double[50];
        for (var tick = 0; tick < prices.Length; tick++)
        {
            prices[tick] = (await watcher.NextAsync()).Price;
            stocks.Time.Advance(TimeSpan.FromSeconds(1));
        }

        return prices;
    }
}
