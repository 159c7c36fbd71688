namespace Weir.Rpc.Policies;

/// <summary>Several attempts at once (gRFC A6, "Hedging Policy").</summary>
internal sealed class HedgingLoop<TRequest, TResponse>(RetryingCall<TRequest, TResponse> call, HedgingPolicy policy)
    where TRequest : class
    where TResponse : class
{
    private readonly List<(Attempt<TResponse> Attempt, Task Response)> _waiting = [];
    private int _started;
    private bool _wasRefused;
    private bool _isForbidden;

    private bool MayStart => _started < policy.MaxAttempts && !_isForbidden && (_started == 0 || call.Throttle is not { IsOpen: false });

    /// <summary>Makes attempts until the call is committed to one. Never fails.</summary>
    public async Task RunAsync()
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(call.Stopped);

        Task? wait = Task.CompletedTask; // until the next attempt; null when none follows
        Attempt<TResponse>? failed = null;

        while (true)
        {
            if (wait is { IsCompleted: true })
            {
                if (!MayStart && _started > 0)
                {
                    wait = null;
                }
                else if (!TryStart())
                {
                    break;
                }
                else
                {
                    wait = MayStart ? call.DelayAsync(policy.HedgingDelay, end.Token) : null;
                    continue;
                }
            }

            if (_waiting.Count == 0 && wait is null)
            {
                call.Commit(failed!);
                break;
            }

            var done = await Task.WhenAny([.. _waiting.Select(pair => pair.Response), .. wait is null ? Array.Empty<Task>() : [wait]]).ConfigureAwait(false);
            if (done == wait)
            {
                continue;
            }

            var index = _waiting.FindIndex(pair => pair.Response == done);
            failed = _waiting[index].Attempt;
            _waiting.RemoveAt(index);
            if (!TryGetDelay(failed, out var delay))
            {
                call.Commit(failed);
                break;
            }

            if (_waiting.Count > 0 || MayStart)
            {
                if (!call.TryDrop(failed))
                {
                    break;
                }
            }

            wait = MayStart ? call.DelayAsync(delay, end.Token) : null;
        }

        await end.CancelAsync().ConfigureAwait(false);
    }

    private bool TryStart()
    {
        if (call.StartAttempt(++_started) is not { } attempt)
        {
            return false;
        }

        _waiting.Add((attempt, attempt.WaitForResponseAsync()));
        return true;
    }

    /// <summary>Whether other attempts may go on after one that has its response or has ended, and when the next may start.</summary>
    private bool TryGetDelay(Attempt<TResponse> attempt, out TimeSpan delay)
    {
        delay = TimeSpan.Zero;
        if (attempt.Call.HasResponse || attempt.Call.EndStatus.IsOk)
        {
            call.Throttle?.OnSuccess();
            return false;
        }

        if (call.HasEndedAsOver(attempt))
        {
            return false;
        }

        if (attempt.Call.WasRefused && !_wasRefused)
        {
            _wasRefused = true; // as in RetryLoop
            _started--;
            return true;
        }

        var isFatal = !policy.NonFatalStatusCodes.Contains(attempt.Call.EndStatus.Code);
        var pushback = attempt.GetPushback(out var isForbidden);
        _isForbidden |= isForbidden;
        if (!isFatal || isForbidden)
        {
            call.Throttle?.OnFailure();
        }

        delay = pushback ?? TimeSpan.Zero;
        return !isFatal;
    }
}
