namespace Weir.Server.Hosting;

/// <summary>The command line in the form that ASP.NET Core's configuration reads.</summary>
internal static class CommandLine
{
    private static readonly string[] Help = ["--help", "-h", "-?", "/?"];

    /// <summary>Whether somebody wants the help, wherever they say so.</summary>
    public static bool AsksForHelp(IReadOnlyList<string> args) => args.Any(Help.Contains);

    /// <summary>Makes "--key=value" of every option, by its key in the configuration.</summary>
    /// <exception cref="ServerStartException">An argument is no option that is known, or an option lacks its value.</exception>
    public static string[] Normalize(IReadOnlyList<string> args)
    {
        var normal = new List<string>();
        for (var index = 0; index < args.Count; index++)
        {
            var (option, value) = Split(args[index]);
            var setting = Settings.FindOption(option);
            if (setting is null && !IsForeign(option))
                throw new ServerStartException(2, Unknown(option));
            if (value is null && setting is { IsFlag: true })
                value = "true";
            // What begins with -- is the next option; a value that does is written behind "=".
            if (value is null && index + 1 < args.Count && !args[index + 1].StartsWith("--", StringComparison.Ordinal))
                value = args[++index];
            if (string.IsNullOrEmpty(value))
                throw new ServerStartException(2, $"{option} needs a value{(setting is null ? "" : $": {option} {setting.ValueName}")}. {ServeHelp.Hint}");
            normal.Add($"--{setting?.Key ?? option[2..]}={value}");
        }

        return [.. normal];
    }

    private static (string Option, string? Value) Split(string arg) => arg.IndexOf('=', StringComparison.Ordinal) is > 0 and var at
        ? (arg[..at], arg[(at + 1)..])
        : (arg, null);

    private static bool IsForeign(string option) =>
        Settings.ForeignSections.Any(section => option.StartsWith($"--{section}:", StringComparison.OrdinalIgnoreCase));

    private static string Unknown(string option)
    {
        var meant = Settings.All.FirstOrDefault(setting => setting.Synonyms.Contains(option, StringComparer.OrdinalIgnoreCase))?.Option
            ?? Nearest.Find(option, Settings.All.SelectMany(setting => (string[])[setting.Option, "--" + setting.Key]));
        return $"\"{option}\" is no option of 'weir serve'{(meant is null ? "." : $"; did you mean {meant}?")} {ServeHelp.Hint}";
    }
}
