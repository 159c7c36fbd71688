using System.Globalization;
using Spectre.Console;

namespace Weir.Cli.Output;

/// <summary>A live table with a row for each symbol.</summary>
internal static class PriceTable
{
    public static Task ShowAsync(IAnsiConsole ansi, IAsyncEnumerable<StockPrice> prices)
    {
        var table = new Table().RoundedBorder().AddColumns("Symbol", "Price", "Change", "Time", "Prices");
        foreach (var column in (int[])[1, 2, 4])
            table.Columns[column].RightAligned();
        var rows = new Dictionary<string, Row>(StringComparer.Ordinal);
        return ansi.Live(table).StartAsync(async context =>
        {
            context.Refresh();
            await foreach (var price in prices)
            {
                Show(table, rows, price);
                context.Refresh();
            }
        });
    }

    private static void Show(Table table, Dictionary<string, Row> rows, StockPrice price)
    {
        if (!rows.TryGetValue(price.Symbol, out var row))
        {
            rows[price.Symbol] = row = new Row(rows.Count, price.Price);
            table.AddRow(Markup.Escape(CommandOutput.Clean(price.Symbol)), "", "", "", "");
        }

        var change = price.Price - row.Last;
        var color = change > 0 ? "green" : change < 0 ? "red" : "grey";
        row.Last = price.Price;
        row.Count++;
        table.UpdateCell(row.Index, 1, Amounts.Price(price.Price));
        table.UpdateCell(row.Index, 2, $"[{color}]{change.ToString("+0.00;-0.00;0.00", CultureInfo.InvariantCulture)}[/]");
        table.UpdateCell(row.Index, 3, Amounts.Instant(price.Timestamp));
        table.UpdateCell(row.Index, 4, Amounts.Count(row.Count));
    }

    private sealed class Row(int index, double first)
    {
        public int Index { get; } = index;

        public double Last { get; set; } = first;

        public long Count { get; set; }
    }
}
