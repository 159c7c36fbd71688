using Microsoft.Extensions.Configuration.CommandLine;
using Microsoft.Extensions.Configuration.EnvironmentVariables;
using Microsoft.Extensions.Configuration.Json;

namespace Weir.Server.Hosting;

/// <summary>Where a value of the configuration was written, so that an error can say where to mend it.</summary>
internal static class SettingOrigin
{
    /// <summary>Names the place for people.</summary>
    /// <param name="configuration">The configuration that has the value.</param>
    /// <param name="key">The value's key.</param>
    /// <param name="option">What it is called on the command line.</param>
    public static string Of(IConfiguration configuration, string key, string option) => Find(configuration, key) switch
    {
        CommandLineConfigurationProvider => option,
        EnvironmentVariablesConfigurationProvider => $"{key.Replace(":", "__", StringComparison.Ordinal)} in the environment",
        JsonConfigurationProvider json => $"\"{key}\" in {json.Source.Path}",
        _ => $"\"{key}\"",
    };

    // The last provider that has a key wins.
    private static IConfigurationProvider? Find(IConfiguration configuration, string key)
    {
        foreach (var provider in (configuration as IConfigurationRoot)?.Providers.Reverse() ?? [])
        {
            if (provider.TryGet(key, out _))
                return provider;
        }

        return null;
    }
}
