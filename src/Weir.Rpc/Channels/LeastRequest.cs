namespace Weir.Rpc.Channels;

/// <summary>The policy "least_request" (gRFC A48): of two servers chosen at random the one with fewer open calls.</summary>
internal sealed class LeastRequest(Func<int, int> random) : LoadBalancingPolicy
{
    public LeastRequest()
        : this(Random.Shared.Next)
    {
    }

    /// <inheritdoc/>
    public override int Pick(ReadOnlySpan<ReadyServer> ready)
    {
        var (first, second) = (random(ready.Length), random(ready.Length));
        return ready[second].ActiveCalls < ready[first].ActiveCalls ? second : first;
    }
}
