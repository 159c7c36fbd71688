namespace Weir.Rpc.Channels;

/// <summary>Where a channel's calls get their streams: from the connections of the present <see cref="Route"/>, at once, or in a queue, first come first
/// served, while there is no route or no free stream on it.</summary>
internal sealed class ConnectionPool : IAsyncDisposable
{
    private readonly Lock _lock = new();
    private readonly RpcChannelOptions _options;
    private readonly LinkedList<ClientCall> _waiting = []; // under _lock
    private volatile Route? _route;                        // replaced under _lock: the present one, or null while calls wait
    private Route? _present;                               // under _lock
    private Status? _failure;                              // under _lock: how calls end that do not want to wait
    private bool _isFinal;                                 // under _lock: and those that do
    private Task? _disposal;                               // under _lock
    private int _slowStarts;
    private int _pumpRequests;

    public ConnectionPool(ChannelCore channel)
    {
        _options = channel.Options;
        Connectivity = new Connectivity(channel);
    }

    /// <summary>The channel's connections and state.</summary>
    public Connectivity Connectivity { get; }

    /// <summary>How many calls did not find a stream at once, so far.</summary>
    public int SlowStarts => Volatile.Read(ref _slowStarts);

    /// <summary>Whether a call waits.</summary>
    public bool HasWaiting
    {
        get
        {
            lock (_lock)
            {
                return _waiting.Count > 0;
            }
        }
    }

    private static Status DisposedStatus => new(StatusCode.Cancelled, "the channel was disposed");

    /// <summary>Opens a stream for the call, now or when there is a connection with room; the call hears of it, or of the failure. Never throws.</summary>
    public void Start(ClientCall call)
    {
        if (_route is not { } route || !route.TryOpen(call))
        {
            StartSlowly(call);
        }
    }

    /// <summary>Takes a call that has ended out of the queue.</summary>
    public void Forget(ClientCall call)
    {
        lock (_lock)
        {
            if (call.WaitingNode is { } node)
            {
                call.WaitingNode = null;
                _waiting.Remove(node);
                ShowRoute();
            }
        }
    }

    /// <summary>Where calls go from now on: to a route; or, without one, those that do not want to wait to their end with the failure.</summary>
    /// <param name="route">The route.</param>
    /// <param name="failure">The failure, or null: all calls wait.</param>
    /// <param name="isFinal">Whether the failure is for every call.</param>
    public void SetRoute(Route? route, Status? failure, bool isFinal)
    {
        lock (_lock)
        {
            if (_isFinal)
            {
                return;
            }

            _present = route;
            _failure = failure;
            _isFinal = isFinal;
            ShowRoute();
        }

        if (failure is { } status)
        {
            FailWaiting(status);
        }

        Pump();
    }

    /// <summary>How many servers the present route leads to.</summary>
    public int CountReadyServers()
    {
        lock (_lock)
        {
            return _present?.ServerCount ?? 0;
        }
    }

    /// <summary>The keepalive times of the present route's connections.</summary>
    public TimeSpan[] KeepAliveTimes()
    {
        lock (_lock)
        {
            return _present?.KeepAliveTimes() ?? [];
        }
    }

    /// <summary>Serves the queue. One thread at a time does; a request that comes meanwhile is done by it too.</summary>
    public void Pump()
    {
        if (Interlocked.Increment(ref _pumpRequests) != 1)
        {
            return;
        }

        int seen;
        do
        {
            seen = Volatile.Read(ref _pumpRequests);
            while (ServeFirst())
            {
            }
        }
        while (Interlocked.Add(ref _pumpRequests, -seen) != 0);
    }

    /// <summary>Cancels the waiting calls, closes the connections (which ends the open calls) and waits for them.</summary>
    public ValueTask DisposeAsync()
    {
        lock (_lock)
        {
            return new ValueTask(_disposal ??= Task.Run(() => Connectivity.StopAsync(DisposedStatus)));
        }
    }

    private void StartSlowly(ClientCall call)
    {
        Interlocked.Increment(ref _slowStarts);
        Status? refusal;
        lock (_lock)
        {
            refusal = Refuse(call);
            if (refusal is null && _waiting.Count >= _options.MaxWaitingCalls)
            {
                refusal = new Status(StatusCode.ResourceExhausted, $"{_waiting.Count} calls wait for a connection already; the limit is {_options.MaxWaitingCalls} (MaxWaitingCalls)");
            }

            if (refusal is null)
            {
                call.WaitingNode = _waiting.AddLast(call);
                ShowRoute();
            }
        }

        if (refusal is { } status)
        {
            call.FailOpening(status);
            return;
        }

        if (call.IsFinished)
        {
            Forget(call);
        }

        Pump();
    }

    /// <summary>Opens the first call's stream. False when there is no call, or no stream for it.</summary>
    private bool ServeFirst()
    {
        ClientCall call;
        Route? route;
        lock (_lock)
        {
            if (_waiting.First is not { } first)
            {
                return false;
            }

            // Out of the queue before it is opened: an opened call may be refused, and queue again, at once.
            call = first.Value;
            _waiting.RemoveFirst();
            call.WaitingNode = null;
            route = _present;
            ShowRoute();
        }

        if (route is not null && route.TryOpen(call))
        {
            return true;
        }

        Status? refusal;
        lock (_lock)
        {
            refusal = Refuse(call);
            call.WaitingNode = refusal is null ? _waiting.AddFirst(call) : null;
            ShowRoute();
        }

        if (refusal is { } status)
        {
            call.FailOpening(status);
            return true;
        }

        if (call.IsFinished)
        {
            Forget(call);
            return true;
        }

        if (route is null)
        {
            Connectivity.Wake();
        }
        else
        {
            Connectivity.Expand(route);
        }

        return false;
    }

    /// <summary>Ends the calls that wait and do not want to; after the end of the channel all.</summary>
    private void FailWaiting(Status status)
    {
        List<ClientCall> failed = [];
        lock (_lock)
        {
            for (var node = _waiting.First; node is not null;)
            {
                var (call, next) = (node.Value, node.Next);
                if (_isFinal || !call.WaitsForReady)
                {
                    call.WaitingNode = null;
                    _waiting.Remove(node);
                    failed.Add(call);
                }

                node = next;
            }

            ShowRoute();
        }

        foreach (var call in failed)
        {
            call.FailOpening(status);
        }
    }

    // Under the lock.
    private Status? Refuse(ClientCall call) => _isFinal || !call.WaitsForReady ? _failure : null;

    // Under the lock. Calls that wait come first.
    private void ShowRoute()
    {
        var route = _waiting.Count == 0 ? _present : null;
        if (_route != route)
        {
            _route = route;
        }
    }
}
