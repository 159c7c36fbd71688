using System.Text;

namespace Weir.Server.Hosting;

/// <summary>What <c>weir serve --help</c> and docs/serve.md say, from the table of settings.</summary>
internal static class ServeHelp
{
    /// <summary>Where an error sends people.</summary>
    public const string Hint = "'weir serve --help' shows the options.";

    private const int MaxColumns = 100;

    private static readonly string[] Ends =
    [
        "A setting is taken from the command line, else from the environment, else from appsettings.json. A key of the section Weir that is not listed here is an error.",
        "Logging and Kestrel (TLS certificates, limits of HTTP/1.1) have ASP.NET Core's own settings, such as --Logging:LogLevel:Default Debug.",
        "Ctrl-C or SIGTERM stops the server. Exit codes: 0 stopped, 1 it could not start, 2 an option or a setting is wrong.",
    ];

    /// <summary>The help for a terminal of so many columns.</summary>
    public static string Text(int columns)
    {
        var width = Math.Clamp(columns, 20, MaxColumns);
        var text = new StringBuilder();
        Line("Starts the server.");
        Line("");
        Line("Usage: weir serve [options]");
        Line("");
        foreach (var setting in Settings.All)
        {
            Line($"{setting.Option} {setting.ValueName}".TrimEnd(), 2);
            Line(setting.Meaning, 6);
            Line($"{(setting.Range.Length > 0 ? UpperFirst(setting.Range) + ". " : "")}Default: {setting.DefaultText}.", 6);
            Line($"Key: {setting.Key}. Variable: {setting.Variable}.", 6);
        }

        Line("-?, -h, --help", 2);
        Line("Show this.", 6);
        foreach (var end in Ends)
        {
            Line("");
            Line(end);
        }

        return text.ToString();

        void Line(string line, int indent = 0)
        {
            foreach (var part in Wrap(line, width - indent))
                text.Append(' ', part.Length == 0 ? 0 : indent).Append(part).Append('\n');
        }
    }

    /// <summary>The settings as a table in Markdown, a line each.</summary>
    public static IReadOnlyList<string> Table { get; } =
    [
        "| option | what it does | values | default | key | variable |",
        "| --- | --- | --- | --- | --- | --- |",
        .. Settings.All.Select(setting =>
            $"| `{$"{setting.Option} {setting.ValueName}".TrimEnd()}` | {setting.Meaning} | {setting.Range} | {setting.DefaultText} | `{setting.Key}` | `{setting.Variable}` |"),
    ];

    // At blanks; a word that is wider than the line stays whole, so that it can be copied.
    private static IEnumerable<string> Wrap(string text, int width)
    {
        var line = "";
        foreach (var word in text.Split(' '))
        {
            if (line.Length > 0 && line.Length + 1 + word.Length > width)
            {
                yield return line;
                line = "";
            }

            line = line.Length == 0 ? word : $"{line} {word}";
        }

        yield return line;
    }

    private static string UpperFirst(string text) => char.ToUpperInvariant(text[0]) + text[1..];
}
