using System.Globalization;
using Spectre.Console;

namespace Weir.Cli.Output;

/// <summary>A live table with a row for each symbol; a narrow terminal has fewer columns, for a price in two lines is no price.</summary>
internal static class PriceTable
{
    private const int TimeColumn = 3, CountColumn = 4;

    // The border and the contents of all columns, for symbols of eight letters and prices below 100,000.
    private const int FullColumns = 68, TimeColumns = 58;

    public static Task ShowAsync(IAnsiConsole ansi, IAsyncEnumerable<StockPrice> prices)
    {
        string[] names = ["Symbol", "Price", "Change", "Time", "Prices"];
        var shown = ansi.Profile.Width >= FullColumns ? names.Length : ansi.Profile.Width >= TimeColumns ? CountColumn : TimeColumn;
        var table = new Table().RoundedBorder().AddColumns(names[..shown]);
        for (var column = 0; column < shown; column++)
        {
            table.Columns[column].NoWrap();
            if (column is not 0 and not TimeColumn)
                table.Columns[column].RightAligned();
        }

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
            table.AddRow([Markup.Escape(CommandOutput.Clean(price.Symbol)), .. Enumerable.Repeat("", table.Columns.Count - 1)]);
        }

        var change = price.Price - row.Last;
        var color = change > 0 ? "green" : change < 0 ? "red" : "grey";
        row.Last = price.Price;
        row.Count++;
        table.UpdateCell(row.Index, 1, Amounts.Price(price.Price));
        table.UpdateCell(row.Index, 2, $"[{color}]{change.ToString("+0.00;-0.00;0.00", CultureInfo.InvariantCulture)}[/]");
        if (table.Columns.Count > TimeColumn)
            table.UpdateCell(row.Index, TimeColumn, Amounts.Instant(price.Timestamp));
        if (table.Columns.Count > CountColumn)
            table.UpdateCell(row.Index, CountColumn, Amounts.Count(row.Count));
    }

    private sealed class Row(int index, double first)
    {
        public int Index { get; } = index;

        public double Last { get; set; } = first;

        public long Count { get; set; }
    }
}
