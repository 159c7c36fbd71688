namespace Weir.Rpc.Channels;

/// <summary>The policy "round_robin": one server after the other, beginning anywhere so that many clients do not begin with the same.</summary>
internal sealed class RoundRobin : LoadBalancingPolicy
{
    private uint _last = (uint)Random.Shared.Next();

    /// <inheritdoc/>
    public override int Pick(ReadOnlySpan<ReadyServer> ready) => (int)(Interlocked.Increment(ref _last) % (uint)ready.Length);
}
