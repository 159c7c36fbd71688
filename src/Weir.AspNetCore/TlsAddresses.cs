using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Hosting;

namespace Weir.AspNetCore;

/// <summary>Knows which of the server's addresses ("urls" and its relatives, <c>app.Urls</c>) are https. Kestrel tells an endpoint's defaults the
/// port but not the scheme, so the addresses are read just before the server starts.</summary>
internal sealed class TlsAddresses(IConfiguration configuration)
{
    private readonly HashSet<int> _ports = [];

    /// <summary>Reads the addresses; to be called once, before the server starts.</summary>
    /// <exception cref="InvalidOperationException">http and https are both asked for on port 0, so that an endpoint's scheme cannot be told.</exception>
    public void Read(IServer server)
    {
        if (configuration.GetSection("Kestrel:Endpoints").GetChildren().Any())
            return; // these endpoints are used instead of the addresses
        var addresses = Addresses(server).Select(BindingAddress.Parse).Where(address => !address.IsUnixPipe && !address.IsNamedPipe).ToList();
        foreach (var address in addresses.Where(IsHttps))
            _ports.Add(address.Port);
        if (addresses.Any(address => !IsHttps(address) && _ports.Contains(address.Port)))
            throw new InvalidOperationException("An http and an https address have the same port; give each its own, other than 0, or use Kestrel:Endpoints.");
    }

    /// <summary>Whether an endpoint that comes from an address is https.</summary>
    public bool IsTls(ListenOptions listen) => listen.IPEndPoint is { } endpoint && _ports.Contains(endpoint.Port);

    private static bool IsHttps(BindingAddress address) => address.Scheme.Equals("https", StringComparison.OrdinalIgnoreCase);

    // The order of ASP.NET Core's own host: addresses set in code, "urls", then the bare ports.
    private IEnumerable<string> Addresses(IServer server)
    {
        if (server.Features.Get<IServerAddressesFeature>() is { Addresses: { Count: > 0 } inCode })
            return inCode;
        if (Split(WebHostDefaults.ServerUrlsKey) is { Length: > 0 } urls)
            return urls;
        return Split(WebHostDefaults.HttpPortsKey).Select(port => $"http://*:{port}")
            .Concat(Split(WebHostDefaults.HttpsPortsKey).Select(port => $"https://*:{port}"));
    }

    private string[] Split(string key) =>
        configuration[key]?.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries) ?? [];
}

/// <summary>Has the addresses read before any hosted service, the server among them, starts.</summary>
internal sealed class TlsAddressReader(TlsAddresses addresses, IServiceProvider services) : IHostedLifecycleService
{
    public Task StartingAsync(CancellationToken cancellationToken)
    {
        if (services.GetService(typeof(IServer)) is IServer server)
            addresses.Read(server);
        return Task.CompletedTask;
    }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
