namespace Weir.Rpc.Policies;

/// <summary>One attempt after the other (gRFC A6, "Retry Policy").</summary>
internal sealed class RetryLoop<TRequest, TResponse>(RetryingCall<TRequest, TResponse> call, RetryPolicy policy)
    where TRequest : class
    where TResponse : class
{
    private int _number = 1;
    private int _backoffs;      // since the start, or the server's last word on when
    private bool _wasRefused;

    /// <summary>Makes attempts until the call is committed to one. Never fails.</summary>
    public async Task RunAsync()
    {
        while (call.StartAttempt(_number) is { } attempt)
        {
            await attempt.WaitForResponseAsync().ConfigureAwait(false);
            if (GetDelay(attempt) is not { } delay)
            {
                call.Commit(attempt);
                return;
            }

            if (!call.TryDrop(attempt))
            {
                return;
            }

            await call.DelayAsync(delay, call.Stopped).ConfigureAwait(false);
        }
    }

    /// <summary>How long to wait before the next attempt, or null when there is none.</summary>
    private TimeSpan? GetDelay(Attempt<TResponse> attempt)
    {
        if (attempt.Call.HasResponse || attempt.Call.EndStatus.IsOk)
        {
            call.Throttle?.OnSuccess();
            return null;
        }

        if (call.HasEndedAsOver(attempt))
        {
            return null;
        }

        if (attempt.Call.WasRefused && !_wasRefused)
        {
            _wasRefused = true; // no server has done anything with it: the next one is the same attempt (gRFC A6, "Transparent Retries")
            return TimeSpan.Zero;
        }

        var isRetryable = policy.RetryableStatusCodes.Contains(attempt.Call.EndStatus.Code);
        var pushback = attempt.GetPushback(out var isForbidden);
        if (isRetryable || isForbidden)
        {
            call.Throttle?.OnFailure();
        }

        if (!isRetryable || isForbidden || _number >= policy.MaxAttempts || call.Throttle is { IsOpen: false })
        {
            return null;
        }

        _number++;
        _backoffs = pushback is null ? _backoffs + 1 : 0;
        return pushback ?? Backoff();
    }

    private TimeSpan Backoff()
    {
        var wait = Math.Min(policy.InitialBackoff.TotalMilliseconds * Math.Pow(policy.BackoffMultiplier, _backoffs - 1), policy.MaxBackoff.TotalMilliseconds);
#pragma warning disable CA5394 // spreads the load; nothing secret
        return TimeSpan.FromMilliseconds(wait * (0.8 + (0.4 * Random.Shared.NextDouble())));
#pragma warning restore CA5394
    }
}
