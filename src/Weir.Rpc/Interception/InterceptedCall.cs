using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;
using System.Threading.Channels;
using Weir.Rpc.Channels;
using Weir.Rpc.Protocol;

namespace Weir.Rpc.Interception;

/// <summary>
/// A client's call whose messages pass through interceptors. The caller's sends go into a queue of one, from which the interceptors take; their
/// result is asked for its first message at once, so that the call starts without a reader, and for the others when the caller asks.
/// </summary>
internal sealed class InterceptedCall<TRequest, TResponse> : IChannelCall<TRequest, TResponse>, IAsyncEnumerable<TResponse>, IAsyncEnumerator<TResponse>
    where TRequest : class
    where TResponse : class
{
    private readonly CallInvoker _invoker;
    private readonly ClientInterceptor[] _interceptors;
    private readonly Method<TRequest, TResponse> _method;
    private readonly TRequest? _request;
    private readonly TimeProvider _time;
    private readonly int _mostWaitingSenders;
    private readonly Channel<(TRequest Message, bool Uncompressed)>? _requests; // null when there is one request
    private readonly UncompressedMessages _uncompressed = new();
    private readonly CancellationTokenSource _stop = new(); // without a timer: holds nothing to dispose of
    private readonly SemaphoreSlim _step = new(1, 1);       // one MoveNextAsync, or the disposal of the enumerator, at a time
    private readonly OutgoingCall _call;
    private CancellationTokenRegistration _registration;
    private CancellationTokenRegistration _otherRegistration; // of the options' token
    private CancellationTokenRegistration _answeredRegistration;
    private CancellationTokenRegistration _enumerationRegistration;
    private DeadlineTimer? _timer;
    private IAsyncEnumerator<TResponse>? _responses; // under _step
    private Task<bool>? _first;                      // under _step: the step that was taken before anybody asked
    private volatile IClientCall? _inner; // the last call behind the interceptors
    private volatile Exception? _failure;
    private volatile bool _ended;
    private volatile bool _completed;
    private volatile bool _deadlinePassed;
    private volatile RpcException? _stopReason;
    private volatile string _reason = "the caller cancelled the call";
    private int _waitingSenders;
    private int _enumerated;

    public InterceptedCall(CallInvoker invoker, ClientInterceptor[] interceptors, Method<TRequest, TResponse> method, TRequest? request, in CallOptions options)
    {
        _invoker = invoker;
        _interceptors = interceptors;
        _method = method;
        _request = request;
        var settings = invoker.ChannelOptions ?? new RpcChannelOptions();
        _time = settings.TimeProvider;
        _mostWaitingSenders = settings.Http2.MaxWaitingSenders;
        _requests = request is null ? Channel.CreateBounded<(TRequest, bool)>(1) : null;
        var deadline = ClientCall.GetDeadline(options, _time.GetUtcNow());
        _call = new OutgoingCall(method.ServiceName, method.Name, method.Path, method.Kind, options, deadline, _stop.Token);
    }

    /// <inheritdoc/>
    public bool IsFinished => _ended;

    /// <inheritdoc/>
    public bool IsCommitted => _inner?.IsCommitted ?? _ended;

    /// <inheritdoc/>
    public int CompressedResponses => _inner?.CompressedResponses ?? 0;

    /// <inheritdoc/>
    public Metadata Trailers => !_ended
        ? throw new InvalidOperationException("The call has not ended: its trailers are not here yet.")
        : _failure is RpcException error ? error.Trailers : _call.Trailers;

    /// <inheritdoc/>
    public IAsyncEnumerable<TResponse> Responses => this;

    /// <inheritdoc/>
    public TResponse Current => _responses!.Current;

    /// <summary>Starts the call.</summary>
    public void Start(CancellationToken cancellationToken)
    {
        if (_call.Deadline is { } deadline)
        {
            _timer = DeadlineTimer.Start(_time, deadline, static call => ((InterceptedCall<TRequest, TResponse>)call).OnDeadline(), this);
        }

        _registration = cancellationToken.UnsafeRegister(static call => ((InterceptedCall<TRequest, TResponse>)call!)._stop.Cancel(), this);
        _otherRegistration = _call.Options.CancellationToken.UnsafeRegister(static call => ((InterceptedCall<TRequest, TResponse>)call!)._stop.Cancel(), this);
        _answeredRegistration = _call.Options.AnsweredToken.UnsafeRegister(static call => ((InterceptedCall<TRequest, TResponse>)call!)._stop.Cancel(), this);
        _first = StartAsync();
        _ = _first.Exception; // told to whoever reads; a call that nobody reads is not unobserved
    }

    /// <inheritdoc/>
    public Task<Metadata> GetResponseHeadersAsync() => _call.ResponseHeaders;

    /// <inheritdoc/>
    public async ValueTask SendAsync(TRequest message, bool uncompressed, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(message);
        if (Interlocked.Increment(ref _waitingSenders) > _mostWaitingSenders)
        {
            Interlocked.Decrement(ref _waitingSenders);
            throw new InvalidOperationException($"{_mostWaitingSenders + 1} senders would wait on one call; the limit is {_mostWaitingSenders} (MaxWaitingSenders). Await each send.");
        }

        try
        {
            await _requests!.Writer.WriteAsync((message, uncompressed), cancellationToken).ConfigureAwait(false);
        }
        catch (ChannelClosedException)
        {
            throw CreateSendException();
        }
        finally
        {
            Interlocked.Decrement(ref _waitingSenders);
        }
    }

    /// <inheritdoc/>
    public bool TrySend(TRequest message, bool uncompressed)
    {
        ArgumentNullException.ThrowIfNull(message);
        return !_completed ? _requests!.Writer.TryWrite((message, uncompressed)) : throw CreateSendException();
    }

    /// <inheritdoc/>
    public void Complete()
    {
        _completed = true;
        _requests?.Writer.TryComplete();
    }

    /// <inheritdoc/>
    public async Task<TResponse> ReadSingleAsync()
    {
        try
        {
            return await SingleMessage.TakeAsync(this, "response", CancellationToken.None).ConfigureAwait(false);
        }
        catch (RpcException error) when (!ReferenceEquals(error, _failure))
        {
            End(error); // none, or a second
            throw;
        }
    }

    /// <inheritdoc/>
    public IAsyncEnumerator<TResponse> GetAsyncEnumerator(CancellationToken cancellationToken = default)
    {
        if (Interlocked.Exchange(ref _enumerated, 1) != 0)
        {
            throw new InvalidOperationException("The messages of a call can be enumerated once.");
        }

        _enumerationRegistration = cancellationToken.UnsafeRegister(static call => ((IClientCall)call!).Leave("the caller cancelled the enumeration"), this);
        return this;
    }

    /// <inheritdoc/>
    public async ValueTask<bool> MoveNextAsync()
    {
        await _step.WaitAsync().ConfigureAwait(false);
        try
        {
            if (_first is { } first)
            {
                _first = null;
                return await first.ConfigureAwait(false);
            }

            if (_failure is { } failure && _ended)
            {
                throw failure;
            }

            return !_ended && await StepAsync().ConfigureAwait(false);
        }
        finally
        {
            _step.Release();
        }
    }

    /// <inheritdoc/>
    public void Leave(string reason)
    {
        if (!_ended && !_stop.IsCancellationRequested)
        {
            _reason = reason;
        }

        _stop.Cancel();
    }

    /// <inheritdoc/>
    public void Stop(Status status)
    {
        _stopReason ??= new RpcException(status);
        _stop.Cancel();
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        Leave("the caller left the call before its end");
        await _step.WaitAsync().ConfigureAwait(false);
        try
        {
            if (_first is { } first)
            {
                await ((Task)first).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }

            if (!_ended)
            {
                await _responses!.DisposeAsync().ConfigureAwait(false);
                End(CreateCancelled());
            }
        }
        finally
        {
            _step.Release();
        }
    }

    private async Task<bool> StartAsync()
    {
        try
        {
            var requests = _request is null ? TakeRequestsAsync(_stop.Token) : SingleMessage.Of(_request);
            _responses = Invoke(0, requests).GetAsyncEnumerator(_stop.Token);
        }
        catch (Exception error) // of an interceptor: how the call ends
        {
            ExceptionDispatchInfo.Throw(End(error)!);
        }

        return await StepAsync().ConfigureAwait(false);
    }

    private async IAsyncEnumerable<TRequest> TakeRequestsAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (var (message, uncompressed) in _requests!.Reader.ReadAllAsync(cancellationToken).ConfigureAwait(false))
        {
            _uncompressed.OnTaken(message, uncompressed);
            yield return message;
        }
    }

    private async Task<bool> StepAsync()
    {
        try
        {
            if (await _responses!.MoveNextAsync().ConfigureAwait(false))
            {
                return true;
            }
        }
        catch (Exception error) // the call's status, or an interceptor's failure: how the call ends
        {
            ExceptionDispatchInfo.Throw(End(error)!);
        }

        End(null);
        return false;
    }

    private IAsyncEnumerable<TResponse> Invoke(int index, IAsyncEnumerable<TRequest> requests)
    {
        ArgumentNullException.ThrowIfNull(requests);
        if (index == _interceptors.Length)
        {
            return new InnermostCall<TRequest, TResponse>(_invoker, _method, _call, _uncompressed, FailSends, inner => _inner = inner).RunAsync(requests, _stop.Token);
        }

        var interceptor = _interceptors[index];
        return interceptor.Invoke<TRequest, TResponse>(_call, requests, changed => Invoke(index + 1, changed))
            ?? throw new InvalidOperationException($"{interceptor.GetType().Name} returned null instead of responses.");
    }

    private void OnDeadline()
    {
        _deadlinePassed = true;
        _stop.Cancel();
    }

    /// <summary>A call behind the interceptors takes no more messages.</summary>
    private void FailSends(Exception reason) => _requests?.Writer.TryComplete(reason);

    /// <summary>The call has ended; returns what the reader is told.</summary>
    private Exception? End(Exception? error)
    {
        if (_ended && _failure is { } earlier)
        {
            return earlier;
        }

        var isStopped = _stop.IsCancellationRequested;
        var failure = error switch
        {
            OperationCanceledException when isStopped => CreateCancelled(),
            RpcException { StatusCode: StatusCode.Cancelled } when isStopped => CreateCancelled(),
            _ => error,
        };
        _failure = failure;
        _ended = true;
        _timer?.Dispose();
        _registration.Unregister();
        _otherRegistration.Unregister();
        _answeredRegistration.Unregister();
        _enumerationRegistration.Unregister();
        _requests?.Writer.TryComplete(failure);
        _call.End(failure);
        return failure;
    }

    private RpcException CreateCancelled() => _deadlinePassed
        ? new RpcException(ClientCall.DeadlineStatus)
        : _stopReason ?? new RpcException(StatusCode.Cancelled, _reason);

    private Exception CreateSendException()
    {
        if (_completed)
        {
            return ClientCall.CreateCompletedException();
        }

        return _failure as RpcException ?? _requests?.Reader.Completion.Exception?.InnerException
            ?? new InvalidOperationException("The call has ended with OK: the server takes no more messages.");
    }
}
