using System.Net;
using System.Net.Sockets;

namespace Weir.Rpc;

/// <summary>One server's address, as a resolver found it. Immutable; two are equal when their end points and attributes are.</summary>
public sealed class RpcAddress : IEquatable<RpcAddress>
{
    private static readonly Dictionary<string, object> None = [];

    /// <summary>Creates the address of an end point: an IP address and port, a DNS name and port (looked up when connecting) or a Unix socket.</summary>
    /// <param name="endPoint">Where the server is.</param>
    /// <param name="attributes">What else the resolver knows of it, for the policy that chooses. Default: nothing.</param>
    public RpcAddress(EndPoint endPoint, IReadOnlyDictionary<string, object>? attributes = null)
    {
        ArgumentNullException.ThrowIfNull(endPoint);
        EndPoint = endPoint;
        Attributes = attributes ?? None;
    }

    /// <summary>Where the server is.</summary>
    public EndPoint EndPoint { get; }

    /// <summary>What else the resolver knows of it; empty by default.</summary>
    public IReadOnlyDictionary<string, object> Attributes { get; }

    /// <inheritdoc/>
    public bool Equals(RpcAddress? other) =>
        other is not null
        && EndPoint.Equals(other.EndPoint)
        && Attributes.Count == other.Attributes.Count
        && Attributes.All(pair => other.Attributes.TryGetValue(pair.Key, out var value) && Equals(pair.Value, value));

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as RpcAddress);

    /// <inheritdoc/>
    public override int GetHashCode() => EndPoint.GetHashCode();

    /// <summary>"10.0.0.1:443", "host:443" or "unix:/path".</summary>
    public override string ToString() => EndPoint switch
    {
        DnsEndPoint dns => $"{dns.Host}:{dns.Port}",
        UnixDomainSocketEndPoint unix => $"unix:{unix}",
        _ => EndPoint.ToString()!,
    };
}
