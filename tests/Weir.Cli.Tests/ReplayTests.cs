using Microsoft.Extensions.Time.Testing;
using Weir.Cli.Commands;
using Weir.Cli.Csv;
using Weir.V1;

namespace Weir.Cli.Tests;

public sealed class ReplayTests
{
    private const string History = "symbol,date,price\nMSFT,Jan 1 2000,39.81\nMSFT,Feb 1 2000,36.35\nAAPL,Jan 1 2000,25.94\nAAPL,Feb 1 2000,28.66\n";

    [Fact]
    public void A_history_is_read_in_the_order_of_its_dates() => Assert.Equal(
        ["MSFT 946684800 39.81", "AAPL 946684800 25.94", "MSFT 949363200 36.35", "AAPL 949363200 28.66"],
        PriceCsv.ReadAll(new StringReader(History)).Select(p => FormattableString.Invariant($"{p.Symbol} {p.Timestamp} {p.Price}")));

    [Theory]
    [InlineData("Ticker,Close,Date\nX,1.5,2000-01-02\n", 946771200)]
    [InlineData("date,symbol,price\n2000-01-02T03:04:05Z,X,1.5\n", 946782245)]
    [InlineData("date,symbol,price\n2000-01-02T03:04:05+01:00,X,1.5\n", 946778645)]
    [InlineData("timestamp,symbol,price\n946782245,X,1.5\n", 946782245)]
    public void Other_headers_and_dates_are_understood(string text, long timestamp) =>
        Assert.Equal(new StockPrice { Symbol = "X", Price = 1.5, Timestamp = timestamp }, Assert.Single(PriceCsv.ReadAll(new StringReader(text))));

    [Theory]
    [InlineData("", "empty")]
    [InlineData("a,b,c\n", "no column \"symbol\"")]
    [InlineData("symbol,date,price\nX,yesterday,1\n", "Line 2: \"yesterday\" is no date")]
    [InlineData("symbol,date,price\nX,2000-01-01,NaN\n", "Line 2: \"NaN\" is no price")]
    [InlineData("symbol,date,price\nX,2000-01-01\n", "Line 2 has 2 fields")]
    public void What_is_no_history_is_refused_with_its_line(string text, string reason) =>
        Assert.Contains(reason, Assert.Throws<CommandException>(() => PriceCsv.ReadAll(new StringReader(text))).Message, StringComparison.Ordinal);

    [Fact]
    public async Task Dates_come_speed_times_a_second_and_a_dates_prices_together()
    {
        var time = new FakeTimeProvider();
        var schedule = new ReplaySchedule(PriceCsv.ReadAll(new StringReader(History)), speed: 4, time);
        await using var prices = schedule.PlayAsync(TestContext.Current.CancellationToken).GetAsyncEnumerator(TestContext.Current.CancellationToken);

        Assert.True(await prices.MoveNextAsync());
        Assert.True(await prices.MoveNextAsync());
        var next = prices.MoveNextAsync().AsTask();
        time.Advance(TimeSpan.FromSeconds(0.24));
        Assert.False(next.IsCompleted);
        time.Advance(TimeSpan.FromSeconds(0.01));
        Assert.True(await next);
        Assert.True(await prices.MoveNextAsync());
        Assert.False(await prices.MoveNextAsync());
    }

    [Fact]
    public async Task Speed_zero_waits_for_nothing()
    {
        var schedule = new ReplaySchedule(PriceCsv.ReadAll(new StringReader(History)), speed: 0, new FakeTimeProvider());
        var count = 0;
        await foreach (var _ in schedule.PlayAsync(TestContext.Current.CancellationToken))
            count++;
        Assert.Equal(4, count);
    }
}
