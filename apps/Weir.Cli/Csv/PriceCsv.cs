using System.Globalization;
using CsvHelper;
using CsvHelper.Configuration;

namespace Weir.Cli.Csv;

/// <summary>Reads a price history: columns for the symbol, the date and the price, in any order.</summary>
internal static class PriceCsv
{
    private static readonly string[] Symbol = ["symbol", "ticker", "name"];
    private static readonly string[] Date = ["date", "time", "timestamp"];
    private static readonly string[] Price = ["price", "close", "adj close"];

    /// <summary>As in "Jan 1 2000" and the ISO forms; without a zone it is UTC.</summary>
    private static readonly string[] DateForms =
        ["MMM d yyyy", "MMM d, yyyy", "yyyy-MM-dd", "yyyy-MM-ddTHH:mm:ssK", "yyyy-MM-ddTHH:mm:ss.FFFFFFFK", "yyyy-MM-dd HH:mm:ss", "yyyy/MM/dd"];

    /// <summary>All prices in the order of their time; rows of one time keep the file's order.</summary>
    /// <exception cref="CommandException">A column is missing or a row is no price; the message names its line.</exception>
    public static List<StockPrice> ReadAll(TextReader source)
    {
        var prices = new List<StockPrice>();
        var bad = false;
        using var parser = new CsvParser(source, new CsvConfiguration(CultureInfo.InvariantCulture) { TrimOptions = TrimOptions.Trim, BadDataFound = _ => bad = true });
        if (!parser.Read())
            throw new CommandException("The file is empty.");
        var (symbol, date, price) = (Column(parser, Symbol), Column(parser, Date), Column(parser, Price));
        while (parser.Read())
        {
            if (parser.Count <= Math.Max(symbol, Math.Max(date, price)))
                throw new CommandException($"Line {parser.RawRow} has {parser.Count} fields; the symbol, the date and the price are columns {symbol + 1}, {date + 1} and {price + 1}.");
            var name = parser[symbol];
            if (ParseTime(parser[date]) is not { } time)
                throw new CommandException($"Line {parser.RawRow}: \"{parser[date]}\" is no date; \"Jan 1 2000\", \"2000-01-01\" and Unix seconds are.");
            if (!double.TryParse(parser[price], NumberStyles.Float, CultureInfo.InvariantCulture, out var value) || !double.IsFinite(value))
                throw new CommandException($"Line {parser.RawRow}: \"{parser[price]}\" is no price.");
            if (bad)
                throw new CommandException($"Line {parser.RawRow} has a quote where none may stand.");
            prices.Add(new StockPrice { Symbol = name, Price = value, Timestamp = time });
        }

        return [.. prices.OrderBy(p => p.Timestamp)];
    }

    private static long? ParseTime(string text)
    {
        const DateTimeStyles Styles = DateTimeStyles.AssumeUniversal | DateTimeStyles.AllowInnerWhite;
        if (DateTimeOffset.TryParseExact(text, DateForms, CultureInfo.InvariantCulture, Styles, out var time))
            return time.ToUnixTimeSeconds();
        return long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var seconds) ? seconds : null;
    }

    private static int Column(CsvParser parser, string[] names)
    {
        for (var i = 0; i < parser.Count; i++)
        {
            if (names.Contains(parser[i], StringComparer.OrdinalIgnoreCase))
                return i;
        }

        throw new CommandException($"The first line has no column \"{names[0]}\"; it must name the columns, as in \"symbol,date,price\".");
    }
}
