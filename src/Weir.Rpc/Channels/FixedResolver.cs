namespace Weir.Rpc.Channels;

/// <summary>Finds the servers that the channel's address names itself.</summary>
internal sealed class FixedResolver(IReadOnlyList<RpcAddress> addresses) : RpcResolver
{
    /// <inheritdoc/>
    public override TimeSpan LeastInterval => Timeout.InfiniteTimeSpan;

    /// <inheritdoc/>
    public override ValueTask<IReadOnlyList<RpcAddress>> ResolveAsync(CancellationToken cancellationToken) => new(addresses);
}
