namespace Weir.Rpc.Channels;

/// <summary>Which connections the next calls go to. Immutable: another takes its place when connections come or go.</summary>
internal sealed class Route
{
    private readonly Subchannel[] _subchannels;
    private readonly ChannelConnection[] _connections; // of the only server
    private readonly LoadBalancingPolicy? _policy;     // among several
    private readonly ReadyServer[] _servers;

    /// <summary>A route to one server.</summary>
    public Route(Subchannel subchannel)
        : this([subchannel], null)
    {
    }

    /// <summary>A route to several servers, among which the policy chooses.</summary>
    public Route(Subchannel[] subchannels, LoadBalancingPolicy? policy)
    {
        _subchannels = subchannels;
        _connections = subchannels[0].Connections;
        _policy = subchannels.Length > 1 ? policy : null;
        _servers = [.. subchannels.Select(subchannel => subchannel.Server)];
    }

    /// <summary>How many servers it leads to.</summary>
    public int ServerCount => _subchannels.Length;

    /// <summary>The keepalive times of its connections.</summary>
    public TimeSpan[] KeepAliveTimes() => [.. _subchannels.SelectMany(subchannel => subchannel.Connections).Select(connection => connection.Http2.KeepAliveTime)];

    /// <summary>Opens the call's stream where there is room. True when it did, or when the call has ended.</summary>
    public bool TryOpen(ClientCall call) => _policy is null ? TryOpen(call, _connections) : TryOpenPicked(call, _policy);

    /// <summary>Asks for a further connection to every server whose connections have no free stream. On the channel's work.</summary>
    public void Expand()
    {
        foreach (var subchannel in _subchannels)
        {
            subchannel.Expand();
        }
    }

    private static bool TryOpen(ClientCall call, ChannelConnection[] connections)
    {
        foreach (var connection in connections)
        {
            if (call.TryOpen(connection))
            {
                connection.HasServed = true;
                return true;
            }
        }

        return false;
    }

    private bool TryOpenPicked(ClientCall call, LoadBalancingPolicy policy)
    {
        int picked;
        try
        {
            picked = policy.Pick(_servers);
        }
        catch (Exception error) // the application's code
        {
            call.FailOpening(new Status(StatusCode.Internal, $"the policy {policy.GetType().Name} failed: {error.Message}"));
            return true;
        }

        if ((uint)picked >= (uint)_servers.Length)
        {
            call.FailOpening(new Status(StatusCode.Internal, $"the policy {policy.GetType().Name} picked server {picked} of {_servers.Length}"));
            return true;
        }

        for (var i = 0; i < _subchannels.Length; i++)
        {
            if (TryOpen(call, _subchannels[(picked + i) % _subchannels.Length].Connections))
            {
                return true;
            }
        }

        return false;
    }
}
