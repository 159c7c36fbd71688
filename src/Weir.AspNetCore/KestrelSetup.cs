using System.Net.Security;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;

namespace Weir.AspNetCore;

/// <summary>Puts Weir on every endpoint that configuration, environment or <c>app.Urls</c> ask for. On a TLS endpoint Weir must come after TLS, which
/// Kestrel adds last; so TLS is added here first, wherever the endpoint's scheme can be known.</summary>
internal sealed class KestrelSetup(TlsAddresses addresses) : IConfigureOptions<KestrelServerOptions>, IPostConfigureOptions<KestrelServerOptions>
{
    private bool _fromCode = true;

    /// <summary>Must run before the application's own settings, which may make endpoints.</summary>
    public void Configure(KestrelServerOptions options)
    {
        // Runs for plain and Unix-socket endpoints of every kind. An endpoint made in code with TLS passes this, since its first octets
        // are a ClientHello, and has UseWeir() again behind its UseHttps().
        options.ConfigureEndpointDefaults(listen =>
        {
            if (!_fromCode && addresses.IsTls(listen))
                listen.UseHttps(PreferHttp11);
            listen.UseWeir();
        });
    }

    public void PostConfigure(string? name, KestrelServerOptions options)
    {
        _fromCode = false;
        if (options.ConfigurationLoader is not { } loader)
            return;
        foreach (var section in loader.Configuration.GetSection("Endpoints").GetChildren())
            loader.Endpoint(section.Key, UseWeirOnTls);
    }

    /// <summary>Of a client's protocols takes http/1.1 before h2. Browsers offer both and get ASP.NET Core; gRPC clients offer only h2 and get Weir.</summary>
    internal static void PreferHttp11(HttpsConnectionAdapterOptions https)
    {
        var inner = https.OnAuthenticate;
        https.OnAuthenticate = (connection, tls) =>
        {
            if (tls.ApplicationProtocols?.Remove(SslApplicationProtocol.Http11) == true)
                tls.ApplicationProtocols.Insert(0, SslApplicationProtocol.Http11);
            inner?.Invoke(connection, tls);
        };
        https.KeepClientChain();
    }

    private static void UseWeirOnTls(EndpointConfiguration endpoint)
    {
        if (!endpoint.IsHttps)
            return;
        if (endpoint.ConfigSection.GetSection("Sni").Exists())
            throw new InvalidOperationException($"{endpoint.ConfigSection.Path}: Weir cannot serve an endpoint with an \"Sni\" section; make it in code with UseHttps(...).UseWeir().");
        PreferHttp11(endpoint.HttpsOptions);
        endpoint.ListenOptions.UseHttps(endpoint.HttpsOptions);
        endpoint.ListenOptions.UseWeir();
    }
}
