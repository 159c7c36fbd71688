using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using Weir.AspNetCore;
using Weir.Classic;
using Weir.Rpc;

namespace Weir.Interop.Tests;

/// <summary>What Python's gRPC makes of a Weir server that keeps its clients' PINGs and its connections' age within limits.</summary>
public sealed class KeepAliveTests
{
    private const string NoPings = "2147483647";
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(2);

    [Fact]
    public async Task Python_client_with_too_many_Pings_is_told_so()
    {
        var finished = await RunAsync(_ => { }, "SILENT", "60", "50");
        Assert.StartsWith("UNAVAILABLE: ", Assert.Single(Lines(finished)), StringComparison.Ordinal);
        Assert.Contains("ENHANCE_YOUR_CALM and debug data equal to \"too_many_pings\"", finished.Errors, StringComparison.Ordinal); // what its library logs
    }

    [Fact]
    public async Task Python_client_with_as_many_Pings_stays_where_they_are_permitted()
    {
        var lines = Lines(await RunAsync(options => options.Rpc.Http2.MinPingInterval = TimeSpan.FromMilliseconds(1), "PEER", "2", "50"));
        Assert.NotEmpty(lines);
        Assert.Single(lines.Distinct()); // one connection, and no error
    }

    [Fact]
    public async Task Python_client_goes_on_without_an_error_when_its_connections_are_too_old()
    {
        const int Calls = 40;
        var time = new FakeTimeProvider();
        var finished = await RunAsync(
            options => (options.Rpc.Http2.TimeProvider, options.Rpc.Http2.MaxConnectionAge) = (time, TimeSpan.FromSeconds(1)),
            () => time.Advance(TimeSpan.FromSeconds(0.25)),
            "PEER", "60", NoPings, $"{Calls}");
        var lines = Lines(finished);
        Assert.Equal(Calls, lines.Length);
        Assert.All(lines, line => Assert.StartsWith("127.0.0.1:", line, StringComparison.Ordinal));
        Assert.InRange(lines.Distinct().Count(), Calls / 5, Calls / 4); // connections: each ends with its fourth call or, as they differ by a tenth, its fifth
    }

    private static Task<Finished> RunAsync(Action<WeirOptions> configure, params string[] arguments) => RunAsync(configure, () => { }, arguments);

    /// <param name="configure">Sets the server's options.</param>
    /// <param name="inCall">Runs in each call before its price is sent.</param>
    /// <param name="arguments">The client's, behind the address.</param>
    private static async Task<Finished> RunAsync(Action<WeirOptions> configure, Action inCall, params string[] arguments)
    {
        await Peer.Python.BuildAsync();
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.AddWeir(configure);
        builder.Services.AddSingleton(new Stocks(inCall));
        await using var app = builder.Build();
        app.MapRpc<Stocks>();
        await app.StartAsync(TestContext.Current.CancellationToken);
        var finished = await Program.RunAsync(
            ["/usr/bin/python3", Repository.PathOf("tests/peers/python/keepalive_client.py"), new Uri(app.Urls.Single()).Authority, .. arguments], Limit);
        Assert.True(finished.ExitCode == 0, finished.Errors);
        return finished;
    }

    private static string[] Lines(Finished finished) => finished.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);

    private sealed class Stocks(Action inCall) : StockService.Server
    {
        /// <summary>Of "PEER" one price, whose symbol is the client's address; of "SILENT" none until the client leaves.</summary>
        public override async IAsyncEnumerable<StockPrice> GetRealTimePrices(StockRequest request, ServerCall call)
        {
            await Task.Delay(request.Symbol == "SILENT" ? Timeout.InfiniteTimeSpan : TimeSpan.FromMilliseconds(20), call.CancellationToken);
            inCall();
            yield return new StockPrice { Symbol = call.Peer };
        }
    }
}
