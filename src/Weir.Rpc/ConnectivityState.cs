namespace Weir.Rpc;

/// <summary>How a channel stands to its servers: the five states of gRPC's connectivity-semantics-and-api.</summary>
public enum ConnectivityState
{
    /// <summary>Not connected and not trying to: the next call, or <see cref="RpcChannel.Connect"/>, connects.</summary>
    Idle,

    /// <summary>Looking up addresses or connecting; calls wait.</summary>
    Connecting,

    /// <summary>Connected: calls go out at once.</summary>
    Ready,

    /// <summary>Connecting failed and is tried again after a pause; until it succeeds calls fail with Unavailable, or wait if they ask for it.</summary>
    TransientFailure,

    /// <summary>Disposed of; the state does not change any more.</summary>
    Shutdown,
}
