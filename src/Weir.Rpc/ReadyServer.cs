using Weir.Rpc.Channels;

namespace Weir.Rpc;

/// <summary>A server that a channel is connected to, as a policy sees it. Safe for use by any number of threads.</summary>
public sealed class ReadyServer
{
    private readonly Subchannel _subchannel;

    internal ReadyServer(Subchannel subchannel) => _subchannel = subchannel;

    /// <summary>The address that the resolver gave.</summary>
    public RpcAddress Address => _subchannel.Address;

    /// <summary>How many calls this channel has open on it now.</summary>
    public int ActiveCalls => _subchannel.CountActiveCalls();
}
