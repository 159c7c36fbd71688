namespace Weir.Rpc.Channels;

/// <summary>Connects to every address and stays connected; a policy chooses among those that are ready. The channel is Ready when one is, and in
/// TransientFailure when all have failed since they were last ready.</summary>
internal sealed class AllReady(Connectivity owner, LoadBalancingPolicy policy) : Balancer(owner)
{
    private readonly List<Subchannel> _subchannels = [];
    private readonly HashSet<Subchannel> _failed = []; // since they were last ready
    private readonly HashSet<Subchannel> _ready = [];
    private string _error = "";
    private bool _updating;

    /// <inheritdoc/>
    public override void Update(IReadOnlyList<RpcAddress> addresses)
    {
        var kept = _subchannels.Where(subchannel => addresses.Contains(subchannel.Address)).ToDictionary(subchannel => subchannel.Address);
        var removed = _subchannels.Except(kept.Values).ToArray();
        _subchannels.Clear();
        _subchannels.AddRange(addresses.Select(address => kept.GetValueOrDefault(address) ?? new Subchannel(Owner, address)));
        foreach (var subchannel in removed)
        {
            _failed.Remove(subchannel);
            _ready.Remove(subchannel);
            subchannel.Shutdown();
        }

        ExitIdle();
    }

    /// <inheritdoc/>
    public override void ExitIdle()
    {
        _updating = true;
        foreach (var subchannel in _subchannels)
        {
            subchannel.Connect();
        }

        _updating = false;
        Report();
    }

    /// <inheritdoc/>
    public override void OnChanged(Subchannel subchannel)
    {
        if (!_subchannels.Contains(subchannel))
        {
            return;
        }

        switch (subchannel.State)
        {
            case ConnectivityState.Ready:
                _failed.Remove(subchannel);
                _ready.Add(subchannel);
                break;
            case ConnectivityState.TransientFailure:
                _ready.Remove(subchannel);
                _failed.Add(subchannel);
                _error = subchannel.Error;
                Owner.RequestResolution();
                break;
            case ConnectivityState.Idle:
                if (_ready.Remove(subchannel))
                {
                    Owner.RequestResolution(); // it was lost
                }

                subchannel.Connect(); // reports
                return;
            case ConnectivityState.Connecting:
                _ready.Remove(subchannel);
                break;
        }

        Report();
    }

    /// <inheritdoc/>
    public override void ResetBackoff()
    {
        _updating = true;
        _failed.Clear(); // if none is ready, calls wait for the outcome
        foreach (var subchannel in _subchannels)
        {
            subchannel.ResetBackoff();
        }

        _updating = false;
        Report();
    }

    /// <inheritdoc/>
    public override void Shutdown()
    {
        foreach (var subchannel in _subchannels)
        {
            subchannel.Shutdown();
        }

        _subchannels.Clear();
    }

    private void Report()
    {
        if (_updating)
        {
            return;
        }

        Subchannel[] ready = [.. _subchannels.Where(_ready.Contains)];
        if (ready.Length > 0)
        {
            Owner.Publish(ConnectivityState.Ready, new Route(ready, policy), null);
        }
        else if (_failed.Count == _subchannels.Count)
        {
            Owner.PublishFailure(_error);
        }
        else
        {
            Owner.Publish(ConnectivityState.Connecting, null, null);
        }
    }
}
