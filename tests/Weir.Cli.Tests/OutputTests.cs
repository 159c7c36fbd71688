using Microsoft.Extensions.Time.Testing;
using Spectre.Console;
using Weir.Cli.Commands;
using Weir.Cli.Output;
using Weir.V1;

namespace Weir.Cli.Tests;

public sealed class OutputTests
{
    [Theory]
    [InlineData(0, "0 B")]
    [InlineData(1023, "1023 B")]
    [InlineData(1024, "1.0 KiB")]
    [InlineData(1024 * 1024 - 1, "1.0 MiB")]
    [InlineData(4L * 1024 * 1024 * 1024, "4.0 GiB")]
    public void Bytes_are_said_in_binary_units(double bytes, string text) => Assert.Equal(text, Amounts.Bytes(bytes));

    [Fact]
    public void A_rate_leaves_out_what_was_there_at_the_start_and_follows_the_last_seconds()
    {
        var time = new FakeTimeProvider();
        var meter = new Meter(time);
        meter.Report(1000, 3000);
        Assert.Equal(0, meter.PerSecond);
        Assert.Null(meter.Left);

        time.Advance(TimeSpan.FromSeconds(2));
        meter.Report(1200, 3000);
        Assert.Equal(100, meter.PerSecond, 3);
        Assert.Equal(18, meter.Left!.Value.TotalSeconds, 3);
        Assert.Equal(0.4, meter.Fraction, 3);

        for (var i = 1; i <= 100; i++)
        {
            time.Advance(TimeSpan.FromSeconds(0.1));
            meter.Report(1200 + i, 3000);
        }

        Assert.Equal(10, meter.PerSecond, 0);
    }

    [Fact]
    public void A_stall_shows_in_the_rate()
    {
        var time = new FakeTimeProvider();
        var meter = new Meter(time);
        meter.Report(0, 1000);
        time.Advance(TimeSpan.FromSeconds(1));
        meter.Report(100, 1000);
        time.Advance(TimeSpan.FromSeconds(9));
        Assert.Equal(10, meter.PerSecond, 3);
    }

    [Theory]
    [InlineData(40, 3)]
    [InlineData(60, 4)]
    [InlineData(80, 5)]
    public async Task A_price_table_has_the_columns_that_fit_and_no_price_in_two_lines(int width, int columns)
    {
        using var screen = new StringWriter();
        var ansi = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(screen), Ansi = AnsiSupport.No, Interactive = InteractionSupport.No });
        ansi.Profile.Width = width;
        await PriceTable.ShowAsync(ansi, Prices());
        var row = screen.ToString().Split('\n').Last(line => line.Contains("12345.67", StringComparison.Ordinal)); // drawn again at the end
        Assert.InRange(row.TrimEnd().Length, 1, width);
        Assert.Equal(columns, row.Count(letter => letter == '│') - 1);
        Assert.Contains("LONGNAME", row, StringComparison.Ordinal);

        static async IAsyncEnumerable<StockPrice> Prices()
        {
            await Task.CompletedTask;
            yield return new StockPrice { Symbol = "LONGNAME", Price = 12_345.67, Timestamp = 1_800_000_000 };
        }
    }

    [Fact]
    public void Json_is_one_object_in_one_line()
    {
        var line = JsonLine.Of(json =>
        {
            json.WriteString("text", "ä \"quoted\"\n");
            json.WriteNumber("number", 9_007_199_254_740_993);
        });
        Assert.Equal("""{"text":"ä \"quoted\"\n","number":9007199254740993}""", line);
    }

    [Fact]
    public void Text_from_others_cannot_move_the_cursor() => Assert.Equal("a·[2Jb··", CommandOutput.Clean("a\u001b[2Jb\r\n"));

    [Theory]
    [InlineData("report.pdf", "report.pdf")]
    [InlineData("../../etc/passwd", "passwd")]
    [InlineData("C:\\temp\\x.txt", "x.txt")]
    public void A_name_on_the_server_is_never_a_path_here(string name, string destination) => Assert.Equal(destination, Transfers.Destination(name, null));

    [Theory]
    [InlineData("..")]
    [InlineData("a/")]
    [InlineData("a/..")]
    public void A_name_that_is_no_file_name_needs_a_path(string name) => Assert.Throws<CommandException>(() => Transfers.Destination(name, null));
}
