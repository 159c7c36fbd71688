namespace Weir.Rpc;

/// <summary>Chooses the server of each call of a channel that is connected to all its servers. Registered under a name in
/// <see cref="RpcChannelOptions.LoadBalancingPolicies"/> and chosen by it in <see cref="RpcChannelOptions.LoadBalancing"/>.</summary>
public abstract class LoadBalancingPolicy
{
    /// <summary>Which of these servers the next call goes to. Called by any number of threads at once, for each call while two or more servers are
    /// connected: it must be quick and must not block. A call whose server has no free stream goes to the next one in the list that has.</summary>
    /// <param name="ready">The connected servers, two or more, in the resolver's order.</param>
    /// <returns>An index into <paramref name="ready"/>. A call for which it is out of range, or for which this throws, ends with Internal.</returns>
    public abstract int Pick(ReadOnlySpan<ReadyServer> ready);
}
