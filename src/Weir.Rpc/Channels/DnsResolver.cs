using System.Net;

namespace Weir.Rpc.Channels;

/// <summary>Finds servers by the system's name service. It tells no change by itself: the channel asks again when connections fail or are lost.</summary>
internal sealed class DnsResolver(string host, int port) : RpcResolver
{
    /// <inheritdoc/>
    public override async ValueTask<IReadOnlyList<RpcAddress>> ResolveAsync(CancellationToken cancellationToken)
    {
        var found = await Dns.GetHostAddressesAsync(host, cancellationToken).ConfigureAwait(false);
        return [.. found.Distinct().Select(address => new RpcAddress(new IPEndPoint(address, port)))];
    }
}
