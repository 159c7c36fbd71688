namespace Weir.Rpc.Channels;

/// <summary>Decides which of the servers' addresses are connected to, and what the channel's state is. Called on the channel's <see cref="SerialWork"/>.</summary>
internal abstract class Balancer(Connectivity owner)
{
    /// <summary>The channel it is for.</summary>
    protected Connectivity Owner { get; } = owner;

    /// <summary>The resolver has found addresses: one or more, each once.</summary>
    public abstract void Update(IReadOnlyList<RpcAddress> addresses);

    /// <summary>The state, or the connections, of one of its subchannels changed.</summary>
    public abstract void OnChanged(Subchannel subchannel);

    /// <summary>A call waits, or the application wants a connection, while the channel is Idle.</summary>
    public abstract void ExitIdle();

    /// <summary>Pauses after failures are over.</summary>
    public abstract void ResetBackoff();

    /// <summary>Shuts every subchannel down.</summary>
    public abstract void Shutdown();
}
