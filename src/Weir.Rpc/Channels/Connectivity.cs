using Microsoft.Extensions.Logging;
using Weir.Http2;

namespace Weir.Rpc.Channels;

/// <summary>Joins a channel's resolver, balancer and connections, and knows its state. What happens to them happens on <see cref="Work"/>, one thing after the
/// other; calls see none of it but the <see cref="Route"/> that the pool is given.</summary>
#pragma warning disable CA1001 // a CancellationTokenSource without a timer holds nothing to dispose of
internal sealed class Connectivity
#pragma warning restore CA1001
{
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _stop = new();
    private readonly HashSet<ChannelConnection> _running = [];  // those whose loops may still run
    private readonly Resolution _resolution;
    private Balancer? _balancer;                                // null while Idle without one, and after the end
    private bool _hasAddresses;
    private bool _stopped;
    private ITimer? _idleTimer;
    private int _startsSeen;
    private long _keepAliveTicks; // 0: the options'

    public Connectivity(ChannelCore core)
    {
        Core = core;
        _logger = core.Options.LoggerFactory.CreateLogger("Weir.Rpc.Channel");
        _resolution = new Resolution(this);
    }

    /// <summary>The channel.</summary>
    public ChannelCore Core { get; }

    /// <summary>Where all this happens.</summary>
    public SerialWork Work { get; } = new();

    /// <summary>The channel's states.</summary>
    public StateChain States { get; } = new();

    /// <summary>What must end before the channel has.</summary>
    public RunningTasks Tasks { get; } = new();

    /// <summary>Fires when the channel is disposed of.</summary>
    public CancellationToken Stopping => _stop.Token;

    /// <summary>The keepalive time of new connections, longer than the options' when a server has had too many PINGs (gRFC A8); null: the options'.
    /// Read by attempts, written on the work.</summary>
    public TimeSpan? KeepAliveTime => _keepAliveTicks == 0 ? null : TimeSpan.FromTicks(Volatile.Read(ref _keepAliveTicks));

    private RpcChannelOptions Options => Core.Options;

    private ConnectionPool Pool => Core.Pool;

    /// <summary>A connection is wanted. Called by any thread.</summary>
    public void Wake()
    {
        if (States.Last.State == ConnectivityState.Idle)
        {
            Work.Run(ExitIdle);
        }
    }

    /// <summary>Every connection of the route is full. Called by any thread.</summary>
    public void Expand(Route route) => Work.Run(route.Expand);

    /// <summary>Pauses after failures are over. Called by any thread.</summary>
    public void ResetBackoff() => Work.Run(() =>
    {
        _resolution.ResetBackoff();
        if (_hasAddresses)
        {
            _balancer?.ResetBackoff();
        }
        else if (States.Last.State == ConnectivityState.TransientFailure)
        {
            Publish(ConnectivityState.Connecting, null, null); // calls wait for the resolver's answer
        }
    });

    /// <summary>Aborts the calls, closes the connections and waits for them.</summary>
    public async Task StopAsync(Status status)
    {
        var stopped = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Work.Run(() =>
        {
            Stop(status);
            stopped.SetResult();
        });
        await stopped.Task.ConfigureAwait(false);
        await _stop.CancelAsync().ConfigureAwait(false);
        await Tasks.WhenNoneAsync().ConfigureAwait(false);
        await _resolution.DisposeAsync().ConfigureAwait(false);
    }

    /// <summary>The channel's state, and where calls go: to the route, or to their end with the failure, or they wait. On the work.</summary>
    public void Publish(ConnectivityState state, Route? route, Status? failure)
    {
        if (_stopped)
        {
            return;
        }

        Pool.SetRoute(route, failure, isFinal: false);
        States.Add(state);
        if (state == ConnectivityState.Idle && Pool.HasWaiting)
        {
            Work.Run(ExitIdle);
        }
    }

    /// <summary>No server could be connected to. On the work.</summary>
    public void PublishFailure(string reason) =>
        Publish(ConnectivityState.TransientFailure, null, new Status(StatusCode.Unavailable, $"cannot connect to {Core.Address.Display}: {reason}"));

    /// <summary>The addresses may be old. On the work.</summary>
    public void RequestResolution() => _resolution.Request();

    /// <summary>The resolver's answer. On the work.</summary>
    public void Found(IReadOnlyList<RpcAddress> addresses)
    {
        _hasAddresses = true;
        _balancer?.Update(addresses);
    }

    /// <summary>The resolver's failure. On the work.</summary>
    public void NotFound(string reason)
    {
        RpcLog.ResolveFailed(_logger, Core.Address.Display, reason);
        if (!_hasAddresses)
        {
            Publish(ConnectivityState.TransientFailure, null, new Status(StatusCode.Unavailable, $"cannot find the servers of {Core.Address.Display}: {reason}"));
        }
    }

    /// <summary>A connection was made. On the work.</summary>
    public void Opened(ChannelConnection connection)
    {
        RpcLog.Connected(_logger, Core.Address.Display);
        _running.Add(connection);
        Tasks.Add(connection.Completion.ContinueWith(
            _ => Work.Run(() => Ended(connection)), CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default));
        if (_stopped)
        {
            connection.Http2.Close(Http2ErrorCode.NoError, "the channel was disposed");
        }
    }

    /// <summary>What a connection's keepalive time was in the end. On the work.</summary>
    public void LearnKeepAliveTime(TimeSpan time)
    {
        if (time != Timeout.InfiniteTimeSpan && time.Ticks > _keepAliveTicks)
        {
            Volatile.Write(ref _keepAliveTicks, time.Ticks);
        }
    }

    /// <summary>What a subchannel tells. On the work.</summary>
    public void OnSubchannelChanged(Subchannel subchannel) => _balancer?.OnChanged(subchannel);

    /// <summary>An attempt to connect failed. On the work.</summary>
    public void LogFailure(Subchannel subchannel, string reason) =>
        RpcLog.ConnectFailed(_logger, IsNamedBy(subchannel.Address) ? Core.Address.Display : $"{Core.Address.Display} ({subchannel.Address})", reason);

    /// <summary>Whether the channel's own name says which address is meant.</summary>
    public bool IsNamedBy(RpcAddress address) => Options.ConnectTransport is not null || address.ToString() == Core.Address.Display;

    private void ExitIdle()
    {
        if (_stopped || States.Last.State != ConnectivityState.Idle)
        {
            return;
        }

        WatchIdle(Options.IdleTimeout);
        if (_balancer is { } balancer)
        {
            balancer.ExitIdle();
            return;
        }

        _balancer = Options.CreatePolicy() is { } policy ? new AllReady(this, policy) : new PickFirst(this);
        Publish(ConnectivityState.Connecting, null, null);
        _resolution.Start();
    }

    private void Stop(Status status)
    {
        _stopped = true;
        _idleTimer?.Dispose();
        _resolution.Stop();
        foreach (var connection in _running)
        {
            connection.Http2.Close(Http2ErrorCode.NoError, status.Detail);
        }

        _balancer?.Shutdown();
        _balancer = null;
        Pool.SetRoute(null, status, isFinal: true);
        States.Add(ConnectivityState.Shutdown);
    }

    private void Ended(ChannelConnection connection)
    {
        RpcLog.ChannelConnectionEnded(_logger, Core.Address.Display, connection.Http2.CloseReason);
        _running.Remove(connection);
    }

    private void WatchIdle(TimeSpan due)
    {
        _startsSeen = Pool.SlowStarts;
        _idleTimer?.Dispose();
        _idleTimer = due == Timeout.InfiniteTimeSpan
            ? null
            : Options.TimeProvider.CreateTimer(_ => Work.Run(OnIdleTimer), null, due, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Calls are not counted one by one: the connections know how long they have been without.</summary>
    private void OnIdleTimer()
    {
        if (_stopped || _balancer is null)
        {
            return;
        }

        var unused = _running.Select(connection => connection.Http2.IdleTime).DefaultIfEmpty(Options.IdleTimeout).Min();
        if (Pool.HasWaiting || Pool.SlowStarts != _startsSeen)
        {
            unused = TimeSpan.Zero;
        }

        if (unused < Options.IdleTimeout)
        {
            WatchIdle(Options.IdleTimeout - unused);
            return;
        }

        _balancer.Shutdown();
        _balancer = null;
        _hasAddresses = false;
        _resolution.Stop();
        Publish(ConnectivityState.Idle, null, null);
    }
}
