using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Weir.AspNetCore;
using Weir.Classic;
using Weir.Rpc;

namespace Weir.Interop.Tests;

/// <summary>A client of another library that cancels many calls and makes others meanwhile.</summary>
public sealed class CancelTests
{
    private const int Calls = 6000;
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(3);

    [Fact]
    public async Task Python_client_that_cancels_at_every_moment_keeps_its_connection_and_leaves_no_call_behind()
    {
        await Peer.Python.BuildAsync();
        var stocks = new Stocks();
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.AddWeir();
        builder.Services.AddSingleton(stocks);
        await using var app = builder.Build();
        app.MapRpc<Stocks>();
        await app.StartAsync(TestContext.Current.CancellationToken);
        var finished = await Program.RunAsync(
            ["/usr/bin/python3", Repository.PathOf("tests/peers/python/cancel_client.py"), new Uri(app.Urls.Single()).Authority, $"{Calls}"], Limit);

        Assert.True(finished.ExitCode == 0, finished.Errors);
        Assert.Single(finished.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries)); // one connection has served them all
        await app.StopAsync(TestContext.Current.CancellationToken); // waits for calls that still run
        Assert.Equal(stocks.Begun, stocks.Ended);
        Assert.InRange(stocks.Begun, Calls * 2 / 3, Calls); // of those cancelled at once some never left the client
    }

    private sealed class Stocks : StockService.Server
    {
        private int _begun;
        private int _ended;

        public int Begun => Volatile.Read(ref _begun);

        public int Ended => Volatile.Read(ref _ended);

        /// <summary>One price, whose symbol is the client's address; after it "FOREVER" waits until the client leaves.</summary>
        public override async IAsyncEnumerable<StockPrice> GetRealTimePrices(StockRequest request, ServerCall call)
        {
            Interlocked.Increment(ref _begun);
            try
            {
                yield return new StockPrice { Symbol = call.Peer };
                if (request.Symbol == "FOREVER")
                    await Task.Delay(Timeout.InfiniteTimeSpan, call.CancellationToken);
            }
            finally
            {
                Interlocked.Increment(ref _ended);
            }
        }
    }
}
