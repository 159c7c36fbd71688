using System.Net;

namespace Weir.Server.Hosting;

/// <summary>Keeps the server from being open to a network by accident: without TLS it listens only where nobody but this machine can reach it.</summary>
internal static class Trust
{
    public const string DefaultUrl = "http://127.0.0.1:7070";

    /// <summary>Sets the default address if configuration has none.</summary>
    public static void SetDefaultAddress(ConfigurationManager configuration)
    {
        if (!Addresses(configuration).Any())
            configuration[WebHostDefaults.ServerUrlsKey] = DefaultUrl;
    }

    /// <summary>Checks every address that configuration asks for.</summary>
    /// <exception cref="ServerStartException">One is not an address, or is plain text and reachable from other machines.</exception>
    public static void Check(IConfiguration configuration, bool insecure)
    {
        foreach (var address in Addresses(configuration))
        {
            if (IsOpen(address) && !insecure)
                throw new ServerStartException(2, $"{address} can be reached from other machines without TLS; use https, an address of this machine such as {DefaultUrl}, or allow it with {Settings.Insecure.Option}.");
        }
    }

    /// <summary>Where the server is to listen.</summary>
    public static IEnumerable<string> Addresses(IConfiguration configuration)
    {
        var endpoints = configuration.GetSection("Kestrel:Endpoints").GetChildren().Select(endpoint => endpoint["Url"] ?? "").ToArray();
        if (endpoints.Length > 0)
            return endpoints;
        if (Split(configuration[WebHostDefaults.ServerUrlsKey]) is { Length: > 0 } urls)
            return urls;
        return Split(configuration[WebHostDefaults.HttpPortsKey]).Select(port => $"http://*:{port}")
            .Concat(Split(configuration[WebHostDefaults.HttpsPortsKey]).Select(port => $"https://*:{port}"));
    }

    private static bool IsOpen(string address)
    {
        BindingAddress parsed;
        try
        {
            parsed = BindingAddress.Parse(address);
        }
        catch (FormatException error)
        {
            throw new ServerStartException(2, $"\"{address}\" is not an address such as {DefaultUrl}.", error);
        }

        if (parsed.Port is < 0 or > ushort.MaxValue)
            throw new ServerStartException(2, $"{address} has port {parsed.Port}; it must be 0 (any free one) to {ushort.MaxValue}.");
        if (parsed.IsUnixPipe || parsed.IsNamedPipe || parsed.Scheme.Equals("https", StringComparison.OrdinalIgnoreCase))
            return false;
        if (parsed.Host.Equals("localhost", StringComparison.OrdinalIgnoreCase))
            return false;
        return !IPAddress.TryParse(parsed.Host, out var ip) || !IPAddress.IsLoopback(ip);
    }

    private static string[] Split(string? list) => list?.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries) ?? [];
}
