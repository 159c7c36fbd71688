using System.Net;
using System.Net.Sockets;

namespace Weir.Rpc.Channels;

/// <summary>The policy "pick_first" (gRFC A62) with Happy Eyeballs (gRFC A61, RFC 8305): connects to the first address that answers, trying the next one when
/// one fails or has not answered within 250 ms, IPv6 and IPv4 in turn. Goes Idle when the connection is lost.</summary>
internal sealed class PickFirst(Connectivity owner) : Balancer(owner)
{
    /// <summary>How long one address is tried alone before the next one is tried as well.</summary>
    public static readonly TimeSpan AttemptDelay = TimeSpan.FromMilliseconds(250);

    private readonly List<Subchannel> _subchannels = [];
    private readonly HashSet<Subchannel> _failed = []; // in this pass
    private IReadOnlyList<RpcAddress> _addresses = [];
    private Subchannel? _selected;
    private ITimer? _delay;
    private int _delayNumber;
    private int _next;              // of _subchannels, in the first pass: the one to try next
    private bool _wanted = true;    // a connection is wanted: not Idle
    private bool _failing;          // TransientFailure holds until a connection is made
    private int _failuresAfterPass;

    private bool InFirstPass => _failed.Count < _subchannels.Count;

    /// <summary>The families in turn, beginning with the first address's; else the resolver's order (RFC 8305 §4).</summary>
    public static IReadOnlyList<RpcAddress> Interleave(IReadOnlyList<RpcAddress> addresses)
    {
        static bool IsV6(RpcAddress address) => address.EndPoint is IPEndPoint { AddressFamily: AddressFamily.InterNetworkV6 };

        var startsWithV6 = IsV6(addresses[0]);
        var (first, second) = (new Queue<RpcAddress>(addresses.Where(address => IsV6(address) == startsWithV6)), new Queue<RpcAddress>(addresses.Where(address => IsV6(address) != startsWithV6)));
        List<RpcAddress> result = [];
        while (first.Count + second.Count > 0)
        {
            if (first.TryDequeue(out var address))
            {
                result.Add(address);
            }

            if (second.TryDequeue(out address))
            {
                result.Add(address);
            }
        }

        return result;
    }

    /// <inheritdoc/>
    public override void Update(IReadOnlyList<RpcAddress> addresses)
    {
        addresses = Interleave(addresses);
        var isSame = _addresses.SequenceEqual(addresses);
        _addresses = addresses;
        if (isSame && (_subchannels.Count > 0 || _selected is not null))
        {
            return;
        }

        if (_selected is { } selected)
        {
            if (!addresses.Contains(selected.Address))
            {
                _selected = null;
                selected.Shutdown();
                StartPass();
            }
        }
        else if (_wanted)
        {
            StartPass();
        }
    }

    /// <inheritdoc/>
    public override void ExitIdle()
    {
        _wanted = true;
        if (_selected is null && _addresses.Count > 0)
        {
            StartPass();
        }
    }

    /// <inheritdoc/>
    public override void OnChanged(Subchannel subchannel)
    {
        if (subchannel == _selected)
        {
            OnSelectedChanged(subchannel);
            return;
        }

        if (!_subchannels.Contains(subchannel))
        {
            return;
        }

        switch (subchannel.State)
        {
            case ConnectivityState.Ready:
                Select(subchannel);
                break;
            case ConnectivityState.TransientFailure:
                OnFailed(subchannel);
                break;
            case ConnectivityState.Idle when !InFirstPass:
                subchannel.Connect(); // its pause is over
                break;
        }
    }

    /// <inheritdoc/>
    public override void ResetBackoff()
    {
        var wasFailing = _failing;
        if (wasFailing)
        {
            _failing = false;
            _failed.Clear(); // a first pass again: calls wait for its outcome
        }

        foreach (var subchannel in _subchannels.ToArray())
        {
            subchannel.ResetBackoff();
        }

        if (wasFailing)
        {
            StartPass();
        }
    }

    /// <inheritdoc/>
    public override void Shutdown()
    {
        ShutdownOthers(null);
        _selected?.Shutdown();
        _selected = null;
    }

    private void StartPass()
    {
        var kept = _subchannels.Where(subchannel => _addresses.Contains(subchannel.Address)).ToDictionary(subchannel => subchannel.Address);
        foreach (var subchannel in _subchannels.Except(kept.Values).ToArray())
        {
            subchannel.Shutdown();
        }

        _subchannels.Clear();
        _subchannels.AddRange(_addresses.Select(address => kept.GetValueOrDefault(address) ?? new Subchannel(Owner, address)));
        _failed.Clear();
        _next = 0;
        if (!_failing)
        {
            Owner.Publish(ConnectivityState.Connecting, null, null);
        }

        TryNext();
    }

    /// <summary>Tries the next address of the first pass; those whose pause goes on have failed already.</summary>
    private void TryNext()
    {
        _delay?.Dispose();
        _delayNumber++;
        while (_next < _subchannels.Count)
        {
            var subchannel = _subchannels[_next++];
            if (subchannel.State == ConnectivityState.TransientFailure)
            {
                _failed.Add(subchannel);
                continue;
            }

            var number = _delayNumber;
            if (_next < _subchannels.Count)
            {
                _delay = Owner.Core.Options.TimeProvider.CreateTimer(_ => Owner.Work.Run(() => OnDelayOver(number)), null, AttemptDelay, Timeout.InfiniteTimeSpan);
            }

            subchannel.Connect();
            return;
        }

        EndPassIfAllFailed();
    }

    private void OnDelayOver(int number)
    {
        if (number == _delayNumber && _selected is null)
        {
            TryNext();
        }
    }

    private void OnFailed(Subchannel subchannel)
    {
        if (!InFirstPass)
        {
            // Once all have failed again, or as many times as there are: the addresses may be old.
            if (++_failuresAfterPass >= _subchannels.Count)
            {
                ReportFailure(subchannel.Error);
            }

            return;
        }

        _failed.Add(subchannel);
        if (!InFirstPass)
        {
            EndPass(subchannel.Error);
        }
        else if (_next < _subchannels.Count && _subchannels[_next - 1] == subchannel)
        {
            TryNext();
        }
    }

    private void EndPassIfAllFailed()
    {
        if (!InFirstPass)
        {
            EndPass(_subchannels[^1].Error);
        }
    }

    private void EndPass(string error)
    {
        ReportFailure(error);
        foreach (var subchannel in _subchannels.ToArray())
        {
            subchannel.Connect(); // those whose pause is over already
        }
    }

    private void ReportFailure(string error)
    {
        _failing = true;
        _failuresAfterPass = 0;
        Owner.PublishFailure(error);
        Owner.RequestResolution();
    }

    private void Select(Subchannel subchannel)
    {
        _selected = subchannel;
        _failing = false;
        ShutdownOthers(subchannel);
        Owner.Publish(ConnectivityState.Ready, new Route(subchannel), null);
    }

    private void OnSelectedChanged(Subchannel subchannel)
    {
        switch (subchannel.State)
        {
            case ConnectivityState.Ready:
                Owner.Publish(ConnectivityState.Ready, new Route(subchannel), null); // a connection came or went
                break;
            case ConnectivityState.Idle:
                _selected = null;
                _wanted = false;
                _subchannels.Add(subchannel); // it knows how its connections ended
                Owner.RequestResolution();
                Owner.Publish(ConnectivityState.Idle, null, null);
                break;
            case ConnectivityState.Connecting:
                Owner.Publish(ConnectivityState.Connecting, null, null); // a further connection is on its way and becomes the first
                break;
            case ConnectivityState.TransientFailure:
                // It served nothing: its pause counts, so it is kept, as if it had failed in a first pass.
                _selected = null;
                _subchannels.Add(subchannel);
                _failed.Add(subchannel);
                StartPass();
                break;
        }
    }

    private void ShutdownOthers(Subchannel? kept)
    {
        _delay?.Dispose();
        _delayNumber++;
        foreach (var subchannel in _subchannels.ToArray())
        {
            if (subchannel != kept)
            {
                subchannel.Shutdown();
            }
        }

        _subchannels.Clear();
        _failed.Clear();
        _next = 0;
    }
}
