namespace Weir.Rpc;

/// <summary>Finds a channel's servers. A channel has a resolver of its own, made for its address by <see cref="RpcChannelOptions.Resolvers"/>, asks it
/// when it first connects and again when connections fail or are lost, and disposes of it at its own end.</summary>
public abstract class RpcResolver : IAsyncDisposable
{
    /// <summary>Fires when the resolver has learnt that <see cref="ResolveAsync"/> would answer differently; the channel then asks.</summary>
    public event Action? Changed;

    /// <summary>How long the channel waits at least, after an answer, before it asks again because of lost or failed connections (not after
    /// <see cref="Changed"/>). Zero or more; <see cref="Timeout.InfiniteTimeSpan"/>: it does not ask again. Default 30 s.</summary>
    public virtual TimeSpan LeastInterval => TimeSpan.FromSeconds(30);

    /// <summary>The servers' addresses now, in the order of preference. Called again only after it has ended. An exception or an empty list is a
    /// failure: the channel goes on with the addresses it has, or, without any, fails its calls with Unavailable and asks again after a pause.</summary>
    /// <param name="cancellationToken">Fires when the channel is disposed of.</param>
    public abstract ValueTask<IReadOnlyList<RpcAddress>> ResolveAsync(CancellationToken cancellationToken);

    /// <summary>Lets go of what the resolver holds. Called once, when nothing else of it is in use.</summary>
    public virtual ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        return default;
    }

    /// <summary>Fires <see cref="Changed"/>. May be called by any thread.</summary>
    protected void OnChanged() => Changed?.Invoke();
}
