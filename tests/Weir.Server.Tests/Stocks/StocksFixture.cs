using Microsoft.Extensions.Time.Testing;
using Weir.Server.Stocks;
using Weir.V1;

namespace Weir.Server.Tests.Stocks;

/// <summary>The price calls with a clock that tests move.</summary>
internal sealed class StocksFixture : IDisposable
{
    public StocksFixture(StocksOptions? options = null)
    {
        Board = new StockBoard(options ?? new StocksOptions(), Time);
        Handler = new StocksHandler(Board, Time);
    }

    public static TimeSpan Bound { get; } = TimeSpan.FromSeconds(60);

    public FakeTimeProvider Time { get; } = new(DateTimeOffset.FromUnixTimeSeconds(1_800_000_000));

    public StockBoard Board { get; }

    public StocksHandler Handler { get; }

    public static StockRequest Request(params string[] symbols) => new() { Symbols = { symbols } };

    public Watcher Watch(params string[] symbols) => new(Handler, Request(symbols));

    public async Task<PublishPricesResponse> PublishAsync(params StockPrice[] prices)
    {
        using var call = new TestCall();
        return await Handler.PublishPrices(prices.ToAsyncEnumerable(), call);
    }

    public void Dispose() => Board.Dispose();

    /// <summary>One open GetStockPrices call.</summary>
    internal sealed class Watcher(StocksHandler handler, StockRequest request) : IAsyncDisposable
    {
        private IAsyncEnumerator<StockPrice>? _prices;

        public TestCall Call { get; } = new();

        /// <summary>The next price, which must come within 60 s.</summary>
        public async Task<StockPrice> NextAsync()
        {
            Assert.True(await MoveAsync().WaitAsync(Bound, TestContext.Current.CancellationToken), "The stream of prices ended.");
            return _prices!.Current;
        }

        /// <summary>Asks for the next price without waiting for it.</summary>
        public Task<bool> MoveAsync()
        {
            _prices ??= handler.GetStockPrices(request, Call).GetAsyncEnumerator(TestContext.Current.CancellationToken);
            return _prices.MoveNextAsync().AsTask();
        }

        public async ValueTask DisposeAsync()
        {
            if (_prices is not null)
                await _prices.DisposeAsync();
            Call.Dispose();
        }
    }
}
