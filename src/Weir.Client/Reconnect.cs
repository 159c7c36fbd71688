using System.Runtime.ExceptionServices;

namespace Weir.Client;

/// <summary>The attempts of one long operation: which errors are worth another, how long to wait before it, when to give up.
/// Not safe for use by several threads at once.</summary>
/// <param name="channel">What the attempts are made through. It may be pausing for longer than <paramref name="options"/> say; each attempt ends its pause.</param>
/// <param name="options">The waits and limits.</param>
/// <param name="random">Spreads the waits.</param>
internal sealed class Reconnect(CallInvoker channel, ReconnectOptions options, Random random)
{
    private bool _contact = options.RetryFirstContact;
    private int _failures;
    private long _failingSince; // a timestamp; means something only while _failures > 0

    public Reconnect(CallInvoker channel, ReconnectOptions options)
        : this(channel, options, Random.Shared)
    {
    }

    /// <summary>The server has answered, though nothing may have moved yet.</summary>
    public void Contact() => _contact = true;

    /// <summary>Something got through that will not have to be done again: the waits start over.</summary>
    public void Progress()
    {
        _contact = true;
        _failures = 0;
    }

    /// <summary>The timestamp at which an attempt begins, for <see cref="Held"/>.</summary>
    public long Now() => options.TimeProvider.GetTimestamp();

    /// <summary>A stream on which nothing needs to come counts as progress if it held for longer than the longest wait.</summary>
    public void Held(long since)
    {
        if (options.TimeProvider.GetElapsedTime(since) > options.MaxDelay)
            Progress();
    }

    /// <summary>Runs attempts until one returns, fails for good, or nothing has moved for too long.</summary>
    /// <exception cref="RpcException">The last attempt's error.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> fired.</exception>
    public async Task<T> RunAsync<T>(Func<CancellationToken, Task<T>> attempt, CancellationToken cancellationToken)
    {
        while (true)
        {
            RpcException broken;
            try
            {
                return await attempt(cancellationToken).ConfigureAwait(false);
            }
            catch (RpcException e)
            {
                broken = e;
            }

            await WaitAsync(broken, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Waits before the next attempt; throws <paramref name="broken"/> when there should be none.</summary>
    public async Task WaitAsync(RpcException broken, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (!_contact || !IsWorthRetrying(broken.StatusCode))
            ExceptionDispatchInfo.Throw(broken);
        if (_failures == 0)
            _failingSince = options.TimeProvider.GetTimestamp();
        else if (options.TimeProvider.GetElapsedTime(_failingSince) >= options.GiveUpAfter)
            ExceptionDispatchInfo.Throw(broken);

        _failures++;
        var delay = NextDelay();
        options.OnRetry?.Invoke(new ReconnectNotice(broken, _failures, delay));
        await Task.Delay(delay, options.TimeProvider, cancellationToken).ConfigureAwait(false);
        channel.ResetConnectBackoff();
    }

    /// <summary>Unavailable is a lost or refused connection; Cancelled without our doing comes from a server that is going. Not Aborted: a
    /// newer stream has taken over, and two that came back each time would fight forever.</summary>
    private static bool IsWorthRetrying(StatusCode code) => code is StatusCode.Unavailable or StatusCode.Cancelled;

    /// <summary>Doubles with each failure up to the longest, then takes a random part between half and all of it, so that many
    /// clients of one server do not come back in step.</summary>
    private TimeSpan NextDelay()
    {
        var doublings = Math.Min(_failures - 1, 30);
        var longest = Math.Min(options.MaxDelay.TotalMilliseconds, options.FirstDelay.TotalMilliseconds * Math.Pow(2, doublings));
        return TimeSpan.FromMilliseconds(longest * (0.5 + (random.NextDouble() / 2)));
    }
}
