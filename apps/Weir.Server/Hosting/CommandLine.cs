namespace Weir.Server.Hosting;

/// <summary>The command line in the form that ASP.NET Core's configuration reads: "--key value" or "--key=value", where --data and --insecure stand
/// for longer keys.</summary>
internal static class CommandLine
{
    public static readonly Dictionary<string, string> Switches = new()
    {
        ["--data"] = "Weir:DataDirectory",
        ["--insecure"] = "Weir:Insecure",
    };

    /// <summary>Gives the flag --insecure the value that configuration needs.</summary>
    /// <exception cref="ServerStartException">An argument is no option, or the last option lacks its value.</exception>
    public static string[] Normalize(IReadOnlyList<string> args)
    {
        var normal = new List<string>();
        for (var index = 0; index < args.Count; index++)
        {
            var arg = args[index];
            if (!arg.StartsWith("--", StringComparison.Ordinal))
                throw new ServerStartException(2, $"\"{arg}\" is not an option; options begin with --, such as --urls or --data.");
            if (arg == "--insecure")
                normal.Add("--insecure=true");
            else if (arg.Contains('=', StringComparison.Ordinal))
                normal.Add(arg);
            else if (++index < args.Count)
                normal.Add($"{arg}={args[index]}");
            else
                throw new ServerStartException(2, $"{arg} needs a value.");
        }

        return [.. normal];
    }
}
