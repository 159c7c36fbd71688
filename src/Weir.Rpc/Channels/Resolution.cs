namespace Weir.Rpc.Channels;

/// <summary>Asks a channel's resolver, one question at a time: at the start, when connections failed or were lost (not too often), when the resolver says so,
/// and after a pause when it failed. Called on the channel's <see cref="SerialWork"/>.</summary>
internal sealed class Resolution(Connectivity owner)
{
    private readonly RpcChannelOptions _options = owner.Core.Options;
    private readonly ConnectBackoff _backoff = new(owner.Core.Options.Backoff, Random.Shared.NextDouble);
    private volatile RpcResolver? _resolver;
    private ITimer? _timer;
    private bool _active;
    private bool _asking;
    private bool _askAgain;
    private bool _waiting;      // the timer runs
    private long _answeredAt;
    private bool _answered;

    private TimeProvider Time => _options.TimeProvider;

    /// <summary>Answers are wanted from now on.</summary>
    public void Start()
    {
        _active = true;
        AskNow(isAgain: false);
    }

    /// <summary>Answers are not wanted while the channel is idle.</summary>
    public void Stop()
    {
        _active = false;
        EndWaiting();
    }

    /// <summary>The addresses may be old: asks, unless it did so a moment ago; then later.</summary>
    public void Request()
    {
        if (!_active || _asking || _waiting || _resolver is null || _resolver.LeastInterval == Timeout.InfiniteTimeSpan)
        {
            return;
        }

        var left = _answered ? _resolver.LeastInterval - Time.GetElapsedTime(_answeredAt) : TimeSpan.Zero;
        if (left > TimeSpan.Zero)
        {
            AskAfter(left);
        }
        else
        {
            AskNow(isAgain: false);
        }
    }

    /// <summary>A pause after a failure is over.</summary>
    public void ResetBackoff()
    {
        _backoff.Reset();
        if (_waiting)
        {
            AskNow(isAgain: false);
        }
    }

    /// <summary>Lets go of the resolver; no answer is under way any more.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_resolver is { } resolver)
        {
            await resolver.DisposeAsync().ConfigureAwait(false);
        }
    }

    private void AskNow(bool isAgain)
    {
        if (!_active)
        {
            return;
        }

        if (_asking)
        {
            _askAgain |= isAgain;
            return;
        }

        EndWaiting();
        _asking = true;
        owner.Tasks.Run(AskAsync);
    }

    private async Task AskAsync()
    {
        try
        {
            var resolver = _resolver ??= Create(); // one question at a time: nobody else is here
            var addresses = await resolver.ResolveAsync(owner.Stopping).ConfigureAwait(false);
            IReadOnlyList<RpcAddress> distinct = [.. addresses.Distinct()];
            owner.Work.Run(() => Answered(distinct, "there is no address"));
        }
        catch (Exception error) // whatever the resolver throws is why there are no addresses
        {
            owner.Work.Run(() => Answered([], error.Message));
        }
    }

    private RpcResolver Create()
    {
        var resolver = owner.Core.Address.CreateResolver();
        resolver.Changed += () => owner.Work.Run(() => AskNow(isAgain: true));
        return resolver;
    }

    private void Answered(IReadOnlyList<RpcAddress> addresses, string failure)
    {
        _asking = false;
        _answered = true;
        _answeredAt = Time.GetTimestamp();
        if (!_active)
        {
            return;
        }

        if (addresses.Count > 0)
        {
            _backoff.Reset();
            owner.Found(addresses);
        }
        else
        {
            owner.NotFound(failure);
            AskAfter(_backoff.Next());
        }

        if (_askAgain)
        {
            _askAgain = false;
            AskNow(isAgain: false);
        }
    }

    private void AskAfter(TimeSpan pause)
    {
        EndWaiting();
        _waiting = true;
        _timer = Time.CreateTimer(_ => owner.Work.Run(OnTimer), null, pause, Timeout.InfiniteTimeSpan);
    }

    private void OnTimer()
    {
        if (_waiting)
        {
            AskNow(isAgain: false);
        }
    }

    private void EndWaiting()
    {
        _waiting = false;
        _timer?.Dispose();
        _timer = null;
    }
}
