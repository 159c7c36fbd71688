namespace Weir.Server.Hosting;

/// <summary>Finds what somebody has set and nobody reads: a misspelt key would otherwise leave a default in force without a word.</summary>
internal static class UnknownKeys
{
    /// <summary>Checks the server's own section, and keys that were meant for it.</summary>
    /// <exception cref="ServerStartException">A key is not in the table of settings.</exception>
    public static void Check(IConfiguration configuration)
    {
        foreach (var key in Leaves(configuration.GetSection(Settings.Section)))
        {
            if (!Settings.All.Any(setting => setting.Key.Equals(key, StringComparison.OrdinalIgnoreCase)))
                throw Unknown(configuration, key, Nearest.Find(key, Settings.All.Select(setting => setting.Key)));
        }

        foreach (var setting in Settings.All.Where(setting => setting.Key.StartsWith(Settings.Section + ":", StringComparison.Ordinal)))
        {
            // The section's name left out (Stocks:Seed), or one underscore in the place of two (WEIR_DATADIRECTORY).
            var without = setting.Key[(Settings.Section.Length + 1)..];
            foreach (var meant in (string[])[setting.Key.Replace(':', '_'), .. without.Contains(':', StringComparison.Ordinal) ? [without] : (string[])[]])
            {
                if (configuration[meant] is not null)
                    throw Unknown(configuration, meant, setting.Key);
            }
        }
    }

    private static IEnumerable<string> Leaves(IConfigurationSection section)
    {
        // The section's own value may be a variable WEIR, which is nobody's setting.
        if (section.Value is not null && section.Path.Contains(':', StringComparison.Ordinal))
            yield return section.Path;
        foreach (var child in section.GetChildren())
        {
            foreach (var leaf in Leaves(child))
                yield return leaf;
        }
    }

    private static ServerStartException Unknown(IConfiguration configuration, string key, string? meant)
    {
        var origin = SettingOrigin.Of(configuration, key, "--" + key);
        var variable = origin.EndsWith(" in the environment", StringComparison.Ordinal);
        var hint = meant is null ? "." : $"; did you mean {(variable ? meant.Replace(":", "__", StringComparison.Ordinal) : meant)}?";
        return new ServerStartException(2, $"{origin} is no setting{hint} {ServeHelp.Hint}");
    }
}
