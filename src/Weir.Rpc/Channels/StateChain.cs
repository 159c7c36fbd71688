namespace Weir.Rpc.Channels;

/// <summary>A channel's states in their order. Each knows the one after it, so that whoever follows the chain misses none, and what nobody follows
/// is collected. Written by one thread at a time, read by any.</summary>
internal sealed class StateChain
{
    private volatile Link _last = new(ConnectivityState.Idle);

    /// <summary>The newest state and the way to the next one.</summary>
    public Link Last => _last;

    /// <summary>Adds a state unless it is the newest already.</summary>
    public void Add(ConnectivityState state)
    {
        var before = _last;
        if (before.State == state)
        {
            return;
        }

        var link = new Link(state);
        _last = link;
        before.Follow(link);
    }

    internal sealed class Link(ConnectivityState state)
    {
        private readonly TaskCompletionSource<Link> _next = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public ConnectivityState State => state;

        /// <summary>Completes with the state after this one; never after Shutdown.</summary>
        public Task<Link> Next => _next.Task;

        internal void Follow(Link next) => _next.SetResult(next);
    }
}
