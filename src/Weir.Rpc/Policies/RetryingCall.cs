using Weir.Rpc.Channels;

namespace Weir.Rpc.Policies;

/// <summary>
/// A call that may have several attempts (gRFC A6). What the caller sends is serialised once and kept; each attempt has a pump that sends it from the
/// beginning. The call is committed to one attempt when that one's response begins, when it ends in a way that no further attempt follows, or when more
/// was sent than may be kept: from then on it is that attempt, and what it has sent is forgotten.
/// </summary>
internal sealed class RetryingCall<TRequest, TResponse> : IChannelCall<TRequest, TResponse>, IAsyncEnumerable<TResponse>
    where TRequest : class
    where TResponse : class
{
    private readonly Lock _lock = new();
    private readonly ChannelCore _channel;
    private readonly MethodPolicies _policies;
    private readonly MethodConfig _config;
    private readonly Method<TRequest, TResponse> _method;
    private readonly Method<byte[], TResponse> _rawMethod;
    private readonly CallOptions _options; // with a deadline, not a timeout
    private readonly int _maxSendBytes;
    private readonly CancellationTokenSource _stop = new(); // without a timer: holds nothing to dispose of
    private readonly TaskCompletionSource<Attempt<TResponse>> _committed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ReplayBuffer _buffer;                  // under _lock
    private readonly List<Attempt<TResponse>> _running = []; // under _lock
    private TaskCompletionSource _more = NewSignal();       // under _lock: something for the pumps to do
    private Attempt<TResponse>? _winner;                    // under _lock: the one that the call is committed to
    private Exception? _sendFailure;                        // under _lock
    private CancellationTokenRegistration _registration;
    private CancellationTokenRegistration _otherRegistration;
    private CancellationTokenRegistration _answeredRegistration;
    private Task _run = Task.CompletedTask;
    private bool _mustCommit;                               // under _lock: to the next attempt
    private bool _left;                                     // under _lock
    private volatile bool _completed;
    private int _enumerated;

    public RetryingCall(ChannelCore channel, MethodPolicies policies, MethodConfig config, Method<TRequest, TResponse> method, in CallOptions options)
    {
        _channel = channel;
        _policies = policies;
        _config = config;
        _method = method;
        _options = options;
        _rawMethod = new Method<byte[], TResponse>(method.Kind, method.ServiceName, method.Name, RawMarshaller.Instance, method.Responses);
        _maxSendBytes = Math.Min(config.MaxRequestMessageBytes ?? int.MaxValue, channel.Options.MaxSendMessageBytes);
        _buffer = new ReplayBuffer(channel.Replays, channel.Options.MaxReplayBytesPerCall);
    }

    /// <inheritdoc/>
    public bool IsFinished => Winner?.IsFinished ?? false;

    /// <inheritdoc/>
    public bool IsCommitted => _committed.Task.IsCompleted;

    /// <inheritdoc/>
    public int CompressedResponses => Winner?.CompressedResponses ?? 0;

    /// <inheritdoc/>
    public Metadata Trailers => Winner?.Trailers ?? throw new InvalidOperationException("The call has not ended: its trailers are not here yet.");

    /// <inheritdoc/>
    public IAsyncEnumerable<TResponse> Responses => this;

    /// <summary>What stops further attempts while too many fail.</summary>
    public RetryThrottle? Throttle => _policies.Throttle;

    /// <summary>Fires when the caller cancels or leaves the call.</summary>
    public CancellationToken Stopped => _stop.Token;

    private ClientCall<byte[], TResponse>? Winner => _committed.Task.IsCompletedSuccessfully ? _committed.Task.Result.Call : null;

    private TimeProvider Time => _channel.Options.TimeProvider;

    /// <summary>Starts the call, which any of the tokens ends. Never throws for what the server or the network does.</summary>
    public void Start(TRequest? request, CancellationToken cancellationToken, CancellationToken otherToken, CancellationToken answeredToken)
    {
        _registration = cancellationToken.UnsafeRegister(static call => ((RetryingCall<TRequest, TResponse>)call!)._stop.Cancel(), this);
        _otherRegistration = otherToken.UnsafeRegister(static call => ((RetryingCall<TRequest, TResponse>)call!)._stop.Cancel(), this);
        _answeredRegistration = answeredToken.UnsafeRegister(static call => ((RetryingCall<TRequest, TResponse>)call!)._stop.Cancel(), this);
        if (request is not null)
        {
            _completed = true;
            try
            {
                _ = _buffer.Add(new ReplayMessage(RawMarshaller.Serialise(_method.Requests, request, _maxSendBytes), _options.RequestUncompressed)) || (_mustCommit = true);
            }
            catch (Exception error) // too large, or what the marshaller throws: ends the call
            {
                var failed = new Attempt<TResponse>(new ClientCall<byte[], TResponse>(_channel, _rawMethod, _options, _config));
                failed.Call.FailRequest(error);
                Commit(failed);
                return;
            }
        }

        _run = _config.RetryPolicy is { } retries
            ? new RetryLoop<TRequest, TResponse>(this, retries).RunAsync()
            : new HedgingLoop<TRequest, TResponse>(this, _config.HedgingPolicy!).RunAsync();
    }

    /// <summary>Starts an attempt, the first one being number 1. Null when the call is committed already.</summary>
    public Attempt<TResponse>? StartAttempt(int number)
    {
        var attempt = new Attempt<TResponse>(new ClientCall<byte[], TResponse>(_channel, _rawMethod, _options, _config) { PreviousAttempts = number - 1, IsAttempt = true });
        bool commits;
        lock (_lock)
        {
            if (_winner is not null)
            {
                return null;
            }

            _running.Add(attempt);
            commits = _mustCommit;
        }

        attempt.Call.Start(_stop.Token);
        if (commits)
        {
            Commit(attempt);
        }

        _ = PumpAsync(attempt); // never fails; ends with the attempt
        return attempt;
    }

    /// <summary>An attempt has failed and another is to follow. False when the call is committed meanwhile.</summary>
    public bool TryDrop(Attempt<TResponse> attempt)
    {
        lock (_lock)
        {
            _running.Remove(attempt);
            return _winner is null;
        }
    }

    /// <summary>Makes an attempt the call, if none is yet; the others are cancelled.</summary>
    public void Commit(Attempt<TResponse> attempt)
    {
        Attempt<TResponse>[] losers;
        lock (_lock)
        {
            if (_winner is not null)
            {
                return;
            }

            _winner = attempt;
            losers = [.. _running.Where(other => other != attempt)];
            _running.Clear();
            _buffer.Forget(attempt.Sent);
            Signal();
        }

        foreach (var loser in losers)
        {
            loser.Call.Leave("another attempt of the call has answered");
        }

        _committed.TrySetResult(attempt);
        if (attempt.SendFailure is { } failure)
        {
            FailSends(failure);
        }

        attempt.Call.Ended = Unregister;
        if (attempt.Call.IsFinished)
        {
            Unregister();
        }
    }

    /// <summary>Waits between attempts: not beyond the call's deadline, and not when the caller has left.</summary>
    public async Task DelayAsync(TimeSpan delay, CancellationToken cancellationToken)
    {
        if (_options.Deadline is { } deadline && deadline - Time.GetUtcNow() is var left && left < delay)
        {
            delay = left;
        }

        if (delay > TimeSpan.Zero)
        {
            await Task.Delay(delay, Time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>Whether an attempt ended because the caller has left the call, or because its deadline has passed: none follows. One that failed for another
    /// reason before either is followed, if the policy says so, by one that ends for that: what the caller sees does not depend on who was quicker.</summary>
    public bool HasEndedAsOver(Attempt<TResponse> attempt) =>
        (attempt.Call.EndStatus.Code == StatusCode.Cancelled && _stop.IsCancellationRequested)
        || (attempt.Call.EndStatus.Code == StatusCode.DeadlineExceeded && _options.Deadline is { } deadline && Time.GetUtcNow() >= deadline);

    /// <inheritdoc/>
    public async Task<Metadata> GetResponseHeadersAsync()
    {
        var attempt = await _committed.Task.ConfigureAwait(false);
        return await attempt.Call.GetResponseHeadersAsync().ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public ValueTask SendAsync(TRequest message, bool uncompressed, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(message);
        if (cancellationToken.IsCancellationRequested)
        {
            return ValueTask.FromCanceled(cancellationToken);
        }

        var kept = Add(message, uncompressed, onlyIfRoom: false)!;
        return kept.Task.IsCompleted || !cancellationToken.CanBeCanceled ? new ValueTask(kept.Task) : AwaitAsync(kept, cancellationToken);
    }

    /// <inheritdoc/>
    public bool TrySend(TRequest message, bool uncompressed)
    {
        ArgumentNullException.ThrowIfNull(message);
        return Add(message, uncompressed, onlyIfRoom: true) is not null;
    }

    /// <inheritdoc/>
    public void Complete()
    {
        lock (_lock)
        {
            _completed = true;
            Signal();
        }
    }

    /// <inheritdoc/>
    public async Task<TResponse> ReadSingleAsync()
    {
        var attempt = await _committed.Task.ConfigureAwait(false);
        return await attempt.Call.ReadSingleAsync().ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public IAsyncEnumerator<TResponse> GetAsyncEnumerator(CancellationToken cancellationToken = default) =>
        Interlocked.Exchange(ref _enumerated, 1) == 0
            ? EnumerateAsync(cancellationToken)
            : throw new InvalidOperationException("The messages of a call can be enumerated once.");

    /// <inheritdoc/>
    public void Leave(string reason)
    {
        Winner?.Leave(reason);
        _stop.Cancel();
        lock (_lock)
        {
            _left = true;
            Signal();
        }
    }

    /// <inheritdoc/>
    public void Stop(Status status)
    {
        IChannelCall<byte[], TResponse> stopped = new ClientCall<byte[], TResponse>(_channel, _rawMethod, _options, _config);
        stopped.Stop(status);
        Commit(new Attempt<TResponse>((ClientCall<byte[], TResponse>)stopped)); // if none is yet
        ((IChannelCall<byte[], TResponse>?)Winner)?.Stop(status);
        _stop.Cancel();
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        Leave("the caller disposed of the call");
        await _run.ConfigureAwait(false);
        await (await _committed.Task.ConfigureAwait(false)).Call.DisposeAsync().ConfigureAwait(false);
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private async IAsyncEnumerator<TResponse> EnumerateAsync(CancellationToken cancellationToken)
    {
        using var registration = cancellationToken.UnsafeRegister(static call => ((IClientCall)call!).Leave("the caller cancelled the enumeration"), this);
        var attempt = await _committed.Task.ConfigureAwait(false);
        await foreach (var message in attempt.Call.Responses.ConfigureAwait(false))
        {
            yield return message;
        }
    }

    private void Unregister()
    {
        _registration.Unregister();
        _otherRegistration.Unregister();
        _answeredRegistration.Unregister();
    }

    private ReplayMessage? Add(TRequest message, bool uncompressed, bool onlyIfRoom)
    {
        if (_completed)
        {
            throw ClientCall.CreateCompletedException();
        }

        var kept = new ReplayMessage(RawMarshaller.Serialise(_method.Requests, message, _maxSendBytes), uncompressed);
        Attempt<TResponse>? last = null;
        lock (_lock)
        {
            var waiting = _buffer.Added - (_winner?.Sent ?? (_running.Count == 0 ? 0 : _running.Max(attempt => attempt.Sent)));
            if (onlyIfRoom && (_sendFailure is not null || waiting > 0))
            {
                return null;
            }

            if (_sendFailure is { } failure)
            {
                throw failure;
            }

            var most = _channel.Options.Http2.MaxWaitingSenders;
            if (waiting >= most)
            {
                throw new InvalidOperationException($"{waiting + 1} senders would wait on one call; the limit is {most} (MaxWaitingSenders). Await each send.");
            }

            if (!_buffer.Add(kept))
            {
                last = _running.MaxBy(attempt => attempt.Sent);
                _mustCommit = true;
            }

            Signal();
        }

        if (last is not null)
        {
            Commit(last);
        }

        return kept;
    }

    private async ValueTask AwaitAsync(ReplayMessage message, CancellationToken cancellationToken)
    {
        using var registration = cancellationToken.UnsafeRegister(_ => Withdraw(message, cancellationToken), null);
        await message.Task.ConfigureAwait(false);
    }

    private void Withdraw(ReplayMessage message, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            if (message.IsTaken)
            {
                return; // under way
            }

            message.IsWithdrawn = true;
        }

        message.TrySetCanceled(cancellationToken);
    }

    /// <summary>Wakes the pumps; under the lock.</summary>
    private void Signal()
    {
        _more.TrySetResult();
        _more = NewSignal();
    }

    /// <summary>Sends an attempt everything there is and will be, while it may still become, or is, the call. Never fails.</summary>
    private async Task PumpAsync(Attempt<TResponse> attempt)
    {
        while (true)
        {
            ReplayMessage? message;
            bool ends;
            Task more;
            lock (_lock)
            {
                if (_left || (_winner is not null && _winner != attempt))
                {
                    return;
                }

                message = _buffer.Get(attempt.Sent);
                ends = message is null && _completed;
                more = _more.Task;
                if (message is not null)
                {
                    message.IsTaken = !message.IsWithdrawn;
                }
            }

            if (message is { IsWithdrawn: false })
            {
                try
                {
                    await attempt.Call.SendAsync(message.Payload, message.Uncompressed, CancellationToken.None).ConfigureAwait(false);
                }
                catch (Exception error) // the attempt has ended: its status says how
                {
                    StopSending(attempt, error);
                    return;
                }
            }
            else if (ends)
            {
                attempt.Call.Complete();
                return;
            }
            else if (message is null)
            {
                await more.ConfigureAwait(false);
                continue;
            }

            lock (_lock)
            {
                attempt.Sent++;
                if (_winner == attempt)
                {
                    _buffer.Forget(attempt.Sent);
                }
            }

            message.TrySetResult();
        }
    }

    private void StopSending(Attempt<TResponse> attempt, Exception error)
    {
        bool fails;
        lock (_lock)
        {
            attempt.SendFailure = error;
            fails = _winner == attempt;
        }

        if (fails)
        {
            FailSends(error);
        }
    }

    private void FailSends(Exception error)
    {
        ReplayMessage[] left;
        lock (_lock)
        {
            _sendFailure ??= error;
            left = _buffer.Clear();
        }

        foreach (var message in left)
        {
            message.TrySetException(error);
            _ = message.Task.Exception; // the call's end tells it as well: not unobserved
        }
    }
}
