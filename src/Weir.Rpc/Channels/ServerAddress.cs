namespace Weir.Rpc.Channels;

/// <summary>A channel's address, taken apart.</summary>
/// <param name="Display">"host:port" or "unix:/path": what errors and logs name.</param>
/// <param name="Scheme">The requests' :scheme.</param>
/// <param name="Authority">The requests' :authority.</param>
/// <param name="Host">The host to connect to; empty for a Unix socket.</param>
/// <param name="Port">The port to connect to; 0 for a Unix socket.</param>
/// <param name="UnixPath">The path of a Unix socket, or null.</param>
internal sealed record ServerAddress(string Display, string Scheme, string Authority, string Host, int Port, string? UnixPath)
{
    private const string UnixPrefix = "unix:";

    /// <summary>Whether the transport is TLS.</summary>
    public bool IsSecure => Scheme == Uri.UriSchemeHttps;

    /// <summary>Parses an address. Throws ArgumentException when it is none of the three forms.</summary>
    public static ServerAddress Parse(string address, string? authority)
    {
        ArgumentException.ThrowIfNullOrEmpty(address);
        if (authority is not null)
        {
            CheckAuthority(authority);
        }

        if (address.StartsWith(UnixPrefix, StringComparison.Ordinal))
        {
            var path = address[UnixPrefix.Length..];
            if (path.StartsWith("//", StringComparison.Ordinal))
            {
                path = path[2..]; // "unix:///path"
            }

            if (path.Length == 0)
            {
                throw new ArgumentException($"The address \"{address}\" has no path; \"unix:/path\" is expected.", nameof(address));
            }

            return new ServerAddress(address, Uri.UriSchemeHttp, authority ?? "localhost", "", 0, path);
        }

        if (!Uri.TryCreate(address, UriKind.Absolute, out var uri) || (uri.Scheme != Uri.UriSchemeHttp && uri.Scheme != Uri.UriSchemeHttps))
        {
            throw new ArgumentException($"The address \"{address}\" is not of the form \"http://host:port\", \"https://host:port\" or \"unix:/path\".", nameof(address));
        }

        if (uri.PathAndQuery is not ("/" or "") || uri.UserInfo.Length != 0)
        {
            throw new ArgumentException($"The address \"{address}\" has more than a host and a port.", nameof(address));
        }

        return new ServerAddress($"{uri.Host}:{uri.Port}", uri.Scheme, authority ?? uri.Authority, uri.IdnHost.Trim('[', ']'), uri.Port, null);
    }

    private static void CheckAuthority(string authority)
    {
        if (authority.Length == 0 || authority.AsSpan().ContainsAnyExceptInRange('!', '~'))
        {
            throw new ArgumentException($"The authority \"{authority}\" is not of the form \"host\" or \"host:port\".", nameof(authority));
        }
    }
}
