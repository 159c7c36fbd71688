using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Weir.Rpc.Channels;

/// <summary>A channel's address, taken apart.</summary>
/// <param name="Display">"host:port", "unix:/path" or the address itself: what errors and logs name.</param>
/// <param name="Scheme">The requests' :scheme: "https" with TLS, else "http".</param>
/// <param name="Authority">The requests' :authority.</param>
/// <param name="Host">The name that the server's certificate must have, unless the TLS settings say another.</param>
/// <param name="CreateResolver">Makes what finds the servers.</param>
internal sealed record ChannelTarget(string Display, string Scheme, string Authority, string Host, Func<RpcResolver> CreateResolver)
{
    private const string LocalAuthority = "localhost"; // of a target that has no host

    /// <summary>Whether the transport is TLS.</summary>
    public bool IsSecure => Scheme == Uri.UriSchemeHttps;

    /// <summary>Parses an address.</summary>
    /// <exception cref="ArgumentException">It is of none of the known forms, or the options' authority cannot be sent.</exception>
    public static ChannelTarget Parse(string address, RpcChannelOptions options)
    {
        ArgumentException.ThrowIfNullOrEmpty(address);
        if (options.Authority is { } authority && !IsAuthority(authority))
        {
            throw new ArgumentException($"The authority \"{authority}\" is not of the form \"host\" or \"host:port\".", nameof(options));
        }

        var target = ParseTarget(address, options);
        if (options.ConnectTransport is not null)
        {
            // There is one way to connect, whatever the address says.
            target = target with { CreateResolver = () => new FixedResolver([new RpcAddress(new DnsEndPoint(target.Host, 0))]) };
        }

        return options.Authority is null ? target : target with { Authority = options.Authority };
    }

    private static ChannelTarget ParseTarget(string address, RpcChannelOptions options)
    {
        var colon = address.IndexOf(':', StringComparison.Ordinal);
        var scheme = colon > 0 ? address[..colon] : "";
        if (options.Resolvers.TryGetValue(scheme, out var custom))
        {
            return Custom(address, address[(colon + 1)..], custom, options);
        }

        return scheme switch
        {
            "unix" => Unix(address, address[(colon + 1)..], options),
            "dns" => Dns(address, Body(address, colon), options),
            "static" => Static(address, Body(address, colon), options),
            _ => Url(address),
        };
    }

    private static ChannelTarget Url(string address)
    {
        if (!Uri.TryCreate(address, UriKind.Absolute, out var uri) || (uri.Scheme != Uri.UriSchemeHttp && uri.Scheme != Uri.UriSchemeHttps))
        {
            throw new ArgumentException(
                $"The address \"{address}\" is not of the form \"http://host:port\", \"https://host:port\", \"dns:///host:port\", \"static:///host:port,host:port\" or \"unix:/path\".",
                nameof(address));
        }

        if (uri.PathAndQuery is not ("/" or "") || uri.UserInfo.Length != 0)
        {
            throw new ArgumentException($"The address \"{address}\" has more than a host and a port.", nameof(address));
        }

        var host = uri.IdnHost.Trim('[', ']');
        return new ChannelTarget($"{uri.Host}:{uri.Port}", uri.Scheme, uri.Authority, host, () => Find(host, uri.Port));
    }

    private static ChannelTarget Dns(string address, string body, RpcChannelOptions options)
    {
        var (host, port) = SplitHost(address, body, options);
        return new ChannelTarget(Join(host, port), SchemeOf(options), body, host, () => Find(host, port));
    }

    private static ChannelTarget Static(string address, string body, RpcChannelOptions options)
    {
        var hosts = body.Split(',');
        RpcAddress[] addresses = [.. hosts.Select(host => ToAddress(SplitHost(address, host, options)))];
        var first = SplitHost(address, hosts[0], options).Host;
        return new ChannelTarget(body, SchemeOf(options), hosts[0], first, () => new FixedResolver(addresses));
    }

    private static ChannelTarget Unix(string address, string path, RpcChannelOptions options)
    {
        if (path.StartsWith("//", StringComparison.Ordinal))
        {
            path = path[2..]; // "unix:///path"
        }

        if (path.Length == 0)
        {
            throw new ArgumentException($"The address \"{address}\" has no path; \"unix:/path\" is expected.", nameof(address));
        }

        var endPoint = new RpcAddress(new UnixDomainSocketEndPoint(path));
        return new ChannelTarget($"unix:{path}", SchemeOf(options), LocalAuthority, LocalAuthority, () => new FixedResolver([endPoint]));
    }

    private static ChannelTarget Custom(string address, string body, Func<string, RpcResolver> create, RpcChannelOptions options)
    {
        body = body.TrimStart('/');
        var authority = IsAuthority(body) && !body.Contains('/', StringComparison.Ordinal) ? body : LocalAuthority;
        var host = authority.LastIndexOf(':') is var colon and > 0 ? authority[..colon] : authority;
        return new ChannelTarget(address, SchemeOf(options), authority, host.Trim('[', ']'), () => create(body));
    }

    /// <summary>What follows "scheme:" or "scheme:///". An authority between the slashes would name a DNS server, which the system chooses here.</summary>
    private static string Body(string address, int colon)
    {
        var body = address[(colon + 1)..];
        if (body.StartsWith("///", StringComparison.Ordinal))
        {
            return body[3..];
        }

        return !body.StartsWith('/')
            ? body
            : throw new ArgumentException($"The address \"{address}\" is not of the form \"{address[..colon]}:///host:port\".", nameof(address));
    }

    private static (string Host, int Port) SplitHost(string address, string text, RpcChannelOptions options)
    {
        // The URL's parser knows every form of host; the port that it assumes is not the one that is assumed here.
        var scheme = SchemeOf(options);
        if (!IsAuthority(text) || !Uri.TryCreate($"{scheme}://{text}", UriKind.Absolute, out var uri) || uri.PathAndQuery is not "/" || uri.UserInfo.Length != 0)
        {
            throw new ArgumentException($"\"{text}\" in the address \"{address}\" is not of the form \"host:port\".", nameof(address));
        }

        return (uri.IdnHost.Trim('[', ']'), uri.Port);
    }

    private static RpcResolver Find(string host, int port) =>
        IPAddress.TryParse(host, out _) ? new FixedResolver([ToAddress((host, port))]) : new DnsResolver(host, port);

    private static RpcAddress ToAddress((string Host, int Port) server) =>
        new(IPAddress.TryParse(server.Host, out var ip) ? new IPEndPoint(ip, server.Port) : new DnsEndPoint(server.Host, server.Port));

    private static string Join(string host, int port) =>
        host.Contains(':', StringComparison.Ordinal) ? $"[{host}]:{port}" : string.Create(CultureInfo.InvariantCulture, $"{host}:{port}");

    private static string SchemeOf(RpcChannelOptions options) => options.Tls is null ? Uri.UriSchemeHttp : Uri.UriSchemeHttps;

    private static bool IsAuthority(string text) => text.Length > 0 && !text.AsSpan().ContainsAnyExceptInRange('!', '~');
}
