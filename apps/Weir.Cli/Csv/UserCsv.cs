using System.Globalization;
using System.Runtime.CompilerServices;
using CsvHelper;
using CsvHelper.Configuration;

namespace Weir.Cli.Csv;

/// <summary>A line of a CSV file that is no user.</summary>
/// <param name="Line">The line in the file, from 1.</param>
/// <param name="Reason">What is wrong with it.</param>
internal readonly record struct BadLine(long Line, string Reason);

/// <summary>Reads users from CSV as they are asked for: one row in memory. The header names the columns <c>name</c> and <c>email</c> in any
/// order and case; other columns do not matter. Lines that are no user are told and passed over.</summary>
internal sealed class UserCsv(TextReader source, Action<BadLine> onBadLine)
{
    /// <summary>A quote that is never closed would otherwise take the rest of the file into memory.</summary>
    private const int MaxFieldChars = 64 * 1024;

    /// <summary>Which line of the file a user came from, by its position among those returned, from 1.</summary>
    public LineMap Lines { get; } = new();

    /// <summary>Bad lines so far.</summary>
    public long BadLines { get; private set; }

    /// <exception cref="CommandException">There is no header, or a field is larger than 64 Ki characters.</exception>
    public async IAsyncEnumerable<User> ReadAllAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        string? stray = null;
        using var parser = new CsvParser(source, new CsvConfiguration(CultureInfo.InvariantCulture)
        {
            TrimOptions = TrimOptions.Trim,
            MaxFieldSize = MaxFieldChars,
            BadDataFound = _ => stray = "a quote stands where none may stand",
        });
        if (!await NextAsync(parser))
            yield break;
        var name = Column(parser, "name");
        var email = Column(parser, "email", "e-mail");
        stray = null;
        long position = 0;
        while (await NextAsync(parser))
        {
            cancellationToken.ThrowIfCancellationRequested();
            // The parser looks for stray quotes when a field is taken.
            var user = parser.Count > Math.Max(name, email) ? new User { Name = parser[name], Email = parser[email] } : null;
            if (user is null || stray is not null)
            {
                BadLines++;
                onBadLine(new BadLine(parser.RawRow, stray ?? $"{parser.Count} fields; name and email are columns {name + 1} and {email + 1}"));
                stray = null;
                continue;
            }

            // A row with line breaks in a field counts as at its last line, which is where an editor shows what follows.
            Lines.Add(++position, parser.RawRow);
            yield return user;
        }
    }

    private static async Task<bool> NextAsync(CsvParser parser)
    {
        try
        {
            return await parser.ReadAsync();
        }
        catch (CsvHelperException e) when (e is MaxFieldSizeException)
        {
            throw new CommandException($"Line {parser.RawRow} has a field of more than {MaxFieldChars} characters: is a quote not closed?");
        }
    }

    private static int Column(CsvParser parser, params ReadOnlySpan<string> names)
    {
        for (var i = 0; i < parser.Count; i++)
        {
            foreach (var name in names)
            {
                if (parser[i].Equals(name, StringComparison.OrdinalIgnoreCase))
                    return i;
            }
        }

        throw new CommandException($"The first line has no column \"{names[0]}\": it must name the columns, as in \"name,email\".");
    }
}
