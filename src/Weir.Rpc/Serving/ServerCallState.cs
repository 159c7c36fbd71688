using Weir.Http2;
using Weir.Rpc.Compression;
using Weir.Rpc.Protocol;

namespace Weir.Rpc.Serving;

/// <summary>
/// One call of a server: runs the handler, keeps the tokens and decides the status, exactly once. Two ends are apart: the response's (the status
/// is sent, or the stream is lost) and the work's (handler and tasks have ended), which keeps the connection. The call's own lock guards the
/// state; the engine may be called under it, because the engine never calls a call under a lock of its own on a server.
/// </summary>
#pragma warning disable CA1001 // a CancellationTokenSource without a timer holds nothing to dispose of, and its token may outlive the call
internal abstract class ServerCallState : ServerCall, IHttp2StreamListener, IMessageOwner, IThreadPoolWorkItem
#pragma warning restore CA1001
{
    private const int Running = 0;
    private const int Answered = 1; // the status is sent
    private const int Lost = 2;     // the client cancelled, or the connection is lost

    private readonly ServerConnection _connection;
    private DeadlineTimer? _timer;
    private CancellationTokenSource? _cancellation; // made when somebody asks for the token
    private Task? _cancellationCallbacks;
    private CallTasks? _tasks;
    private bool _startsNoTasks;
    private Metadata? _requestHeaders;
    private Metadata? _responseTrailers;
    private volatile int _phase;
    private volatile bool _headersSent;
    private volatile bool _isHandlerLeft;
    private bool _cancelled;
    private bool _deadlinePassed;
    private readonly string? _acceptEncoding;
    private int _compressedRequests;
    private int _waitingSends;
    private HeldCalls.Place? _held; // null for a call that never was

    protected ServerCallState(ServerConnection connection, Http2Stream stream, string path, in RequestHead head)
    {
        _connection = connection;
        _requestHeaders = head.Metadata;
        Stream = stream;
        Method = path;
        ReceivedCompression = head.Compression;
        _acceptEncoding = head.AcceptEncoding;
        if (Settings.Compression is { } compression)
        {
            SendCompression = GetAccepted(compression);
        }

        if (head.Timeout is { } timeout)
        {
            Deadline = GrpcTimeout.Add(Settings.TimeProvider.GetUtcNow(), timeout);
        }
    }

    /// <inheritdoc/>
    public override string Method { get; }

    /// <inheritdoc/>
    public override string Peer => _connection.Peer;

    /// <inheritdoc/>
    public override ClientIdentity? ClientIdentity => _connection.ClientIdentity;

    /// <inheritdoc/>
    public override Metadata RequestHeaders => _requestHeaders ??= new Metadata();

    /// <inheritdoc/>
    public override Metadata ResponseTrailers => _responseTrailers ??= new Metadata();

    /// <inheritdoc/>
    public override DateTimeOffset? Deadline { get; }

    /// <inheritdoc/>
    public override CancellationToken Draining => _connection.Draining;

    /// <inheritdoc/>
    public override CancellationToken CancellationToken
    {
        get
        {
            lock (Gate)
            {
                if (_cancellation is null)
                {
                    _cancellation = new CancellationTokenSource();
                    if (_cancelled)
                    {
                        _cancellation.Cancel(); // nobody has registered with it
                    }
                }

                return _cancellation.Token;
            }
        }
    }

    /// <inheritdoc/>
    public MessageCompression? ReceivedCompression { get; }

    /// <inheritdoc/>
    public override int CompressedRequests => Volatile.Read(ref _compressedRequests);

    /// <inheritdoc/>
    public override MessageCompression? ResponseCompression
    {
        get => SendCompression;
        set
        {
            lock (Gate)
            {
                if (_headersSent)
                {
                    throw new InvalidOperationException("The response's headers are sent already: they have said how it is compressed.");
                }

                SendCompression = value is null ? null : GetAccepted(value);
            }
        }
    }

    /// <inheritdoc/>
    public bool IsStopped => _phase != Running;

    /// <inheritdoc/>
    public Status SurplusFailure => Cardinality.SecondRequest;

    /// <summary>The service object, once the method has made it.</summary>
    public object? Service { get; set; }

    /// <summary>What the activator wants back with <see cref="Service"/>.</summary>
    public object? ServiceState { get; set; }

    /// <summary>The call's stream.</summary>
    protected Http2Stream Stream { get; }

    /// <summary>What responses are compressed with, which the client accepts; null: nothing.</summary>
    protected MessageCompression? SendCompression { get; private set; }

    /// <summary>The server's settings.</summary>
    protected RpcServerOptions Settings => _connection.Server.Options;

    /// <summary>Whether the headers are, or are being, sent: a message may follow.</summary>
    protected bool HeadersSent => _headersSent;

    /// <summary>Starts the call, on the connection's read loop.</summary>
    public void Start()
    {
        Open();
        if (HasSingleRequest)
        {
            Execute(); // up to the wait for the request; the handler runs on the pool when it is here
        }
        else
        {
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
        }
    }

    /// <summary>Takes the call without running it, on the connection's read loop: its handler runs after <see cref="RunHeld"/>. It may end before that, by its
    /// client, its deadline or its connection, or because it is held for too long; then nothing of it has run.</summary>
    public void Hold(HeldCalls held)
    {
        _held = held.Add(this);
        Open();
        if (IsStopped)
        {
            _held.TryLeave();
        }
    }

    /// <summary>Runs a call that was held, and is not any more.</summary>
    public void RunHeld() => ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);

    /// <summary>Ends a call that was held for too long as if it had not been seen: the client may try again elsewhere.</summary>
    public void Refuse()
    {
        _connection.OnRefused();
        Stream.Reset(Http2ErrorCode.RefusedStream, "too many calls are still running");
    }

    private void Open()
    {
        BeginReading();
        if (Deadline is { } deadline)
        {
            var timer = DeadlineTimer.Start(Settings.TimeProvider, deadline, static call => ((ServerCallState)call).OnDeadline(), this);
            lock (Gate)
            {
                _timer = timer;
            }

            if (IsStopped)
            {
                timer.Dispose();
            }
        }
    }

    /// <inheritdoc/>
    public void Execute() => _ = RunAsync(); // never fails; the connection awaits it by its count of calls

    /// <inheritdoc/>
    public override ValueTask SendHeadersAsync(Metadata headers)
    {
        ArgumentNullException.ThrowIfNull(headers);
        if (!TrySendHeaders(headers))
        {
            throw IsStopped ? CreateStoppedException() : new InvalidOperationException("The response's headers are sent already.");
        }

        return default;
    }

    /// <inheritdoc/>
    public override void Run(Func<CancellationToken, Task> work)
    {
        ArgumentNullException.ThrowIfNull(work);
        CallTasks? tasks;
        lock (Gate)
        {
            tasks = _startsNoTasks ? null : _tasks ??= new CallTasks(Cancel);
        }

        if (tasks is null || !tasks.TryRun(work, CancellationToken))
        {
            throw new InvalidOperationException("The call has ended: it starts no more tasks.");
        }
    }

    /// <inheritdoc/>
    public void OnHeaders(ReadOnlySpan<HeaderField> headers, bool endStream)
    {
        // A request has no trailers in gRPC; those that come are ignored.
    }

    /// <inheritdoc/>
    public abstract void OnReadable();

    /// <inheritdoc/>
    public void OnAborted(Http2StreamAbort abort)
    {
        lock (Gate)
        {
            if (IsStopped)
            {
                return; // the response is out
            }

            CancelLocked(); // before the phase: whoever sees the call stopped sees why
            _phase = Lost;
        }

        _held?.TryLeave(); // it never runs
        StopTimer();
        WakeReader();
    }

    /// <inheritdoc/>
    public void OnCompressedTaken() => Volatile.Write(ref _compressedRequests, _compressedRequests + 1); // one reader at a time

    /// <inheritdoc/>
    public Exception? GetEndOfMessages() => IsStopped ? CreateStoppedException() : null;

    /// <inheritdoc/>
    public Exception FailReading(Status failure, Exception? cause) => IsStopped ? CreateStoppedException() : cause as RpcException ?? new RpcException(failure, null, cause);

    /// <inheritdoc/>
    public Exception CancelReading(CancellationToken cancellationToken) => new OperationCanceledException(cancellationToken);

    /// <inheritdoc/>
    public void LeaveReading()
    {
        // A handler may answer before it has read every request; what is left is discarded when the call ends.
    }

    /// <summary>A compression if the client accepts it, else null. A client that does not say what it accepts can read what it writes itself.</summary>
    private MessageCompression? GetAccepted(MessageCompression compression)
    {
        var accepted = _acceptEncoding is null
            ? compression.Name == ReceivedCompression?.Name
            : CompressionSet.Lists(_acceptEncoding, compression.Name);
        return accepted && compression != MessageCompression.Identity ? compression : null;
    }

    // Not the call itself, which handlers see and may lock.
    private Http2Stream Gate => Stream;

    /// <summary>Whether the handler waits for one request rather than for a stream.</summary>
    protected abstract bool HasSingleRequest { get; }

    /// <summary>Names the stream to the incoming messages.</summary>
    protected abstract void BeginReading();

    /// <summary>Reading has stopped: wake the reader.</summary>
    protected abstract void WakeReader();

    /// <summary>Runs the handler: takes the requests, sends the responses, not the status.</summary>
    protected abstract ValueTask HandleAsync();

    /// <summary>Releases the service object.</summary>
    protected abstract ValueTask ReleaseAsync();

    /// <summary>Sends the response's headers if they are not sent. False when they are, or the call has ended.</summary>
    protected bool TrySendHeaders(Metadata? metadata)
    {
        if (Extras is not { } extras)
        {
            return TrySendHeadersNow(metadata);
        }

        lock (extras.HeadersLock) // others wait until the changes are made
        {
            return !_headersSent && !IsStopped && TrySendHeadersNow(extras.Change(metadata));
        }
    }

    private bool TrySendHeadersNow(Metadata? metadata)
    {
        lock (Gate) // so that no message of another sender comes before them, and no status between
        {
            if (_headersSent || IsStopped)
            {
                return false;
            }

            HeaderList headers = default;
            ResponseHead.WriteHeaders(
                ref headers, metadata, SendCompression?.Name, ReceivedCompression is null ? null : _connection.Server.Compressions.AcceptEncoding);
            Stream.SendHeaders(headers.AsSpan(), endStream: false);
            _headersSent = true;
            return true;
        }
    }

    /// <summary>Completes when the handler's tasks have ended; it starts no more then. Null when it has started none.</summary>
    protected internal Task? WaitForTasksAsync()
    {
        lock (Gate)
        {
            return _tasks?.WaitAsync();
        }
    }

    /// <summary>The handler has failed: its tasks are to end too.</summary>
    protected internal void CancelWork() => Cancel();

    /// <summary>An interceptor takes no more responses: the handler and its tasks are to end, and that they are cancelled is no failure.</summary>
    protected internal void LeaveHandler()
    {
        _isHandlerLeft = true;
        Cancel();
    }

    /// <summary>A sender begins to wait.</summary>
    protected void BeginWaitingSend() => Interlocked.Increment(ref _waitingSends);

    /// <summary>A sender waits no more.</summary>
    protected void EndWaitingSend()
    {
        if (Interlocked.Decrement(ref _waitingSends) == 0 && _phase == Answered)
        {
            EndInput();
        }
    }

    /// <summary>What a send or a read after the end throws.</summary>
    protected Exception CreateStoppedException() => _cancelled
        ? new OperationCanceledException("The call was cancelled.", CancellationToken)
        : new InvalidOperationException("The call has ended.");

    private async Task RunAsync()
    {
        Exception? failure = null;
        var current = Settings.PropagatesCalls ? CurrentCall.Begin(this) : null; // in this method's flow: its caller sees nothing of it
        try
        {
            await HandleAsync().ConfigureAwait(false);
        }
        catch (Exception error) // whatever a handler throws becomes the call's status
        {
            failure = error;
            Cancel(); // its tasks are to end too
        }

        CallTasks? tasks;
        lock (Gate)
        {
            tasks = _tasks;
            _startsNoTasks = tasks is null; // else they close themselves when none runs any more
        }

        if (tasks is not null)
        {
            await tasks.WaitAsync().ConfigureAwait(false);
            if (failure is null or OperationCanceledException)
            {
                var ofTask = _isHandlerLeft && tasks.Failure is OperationCanceledException ? null : tasks.Failure;
                failure = ofTask ?? failure; // a task that failed has cancelled the handler
            }
        }

        var status = failure is null ? Status.Ok : GetStatus(failure);
        if (status.IsOk && !_headersSent && Extras is { HasHeadersChanges: true })
        {
            status = SendLateHeaders();
        }

        Answer(status, (failure as RpcException)?.Trailers);
        WakeReader();
        await ReleaseServiceAsync().ConfigureAwait(false);
        if (Extras is { } extras)
        {
            await extras.DisposeAllAsync(error => RpcLog.ReleaseFailed(_connection.Server.Logger, error, Method, Peer)).ConfigureAwait(false);
        }

        await AwaitCancellationCallbacksAsync().ConfigureAwait(false);
        current?.End();
        _connection.OnCallEnded();
    }

    /// <summary>A stream without a message has headers all the same when somebody wants to see them.</summary>
    private Status SendLateHeaders()
    {
        try
        {
            TrySendHeaders(null);
            return Status.Ok;
        }
        catch (Exception error) // of what wants to see them
        {
            return GetStatus(error);
        }
    }

    private Status GetStatus(Exception failure)
    {
        switch (failure)
        {
            case RpcException { Status.IsOk: false } known:
                return known.Status;
            case OperationCanceledException when _deadlinePassed:
                return DeadlineStatus;
            case OperationCanceledException when _phase == Lost:
                return new Status(StatusCode.Cancelled, "the call was cancelled");
            default:
                RpcLog.HandlerFailed(_connection.Server.Logger, failure, Method, Peer);
                return new Status(StatusCode.Internal, "The handler failed.");
        }
    }

    private static Status DeadlineStatus => new(StatusCode.DeadlineExceeded, "the deadline passed before the call ended");

    private void OnDeadline() => EndEarly(DeadlineStatus);

    /// <summary>A time is over: the client has the status at once, and the call's work is cancelled.</summary>
    protected void EndEarly(Status status)
    {
        _deadlinePassed = true;
        if (Answer(status, null, atOnce: true))
        {
            _held?.TryLeave(); // it never runs
            WakeReader();
        }
    }

    /// <summary>Sends the status if none is sent and the stream is there. Behind messages that still wait, or <paramref name="atOnce"/>: then they are dropped.</summary>
    private bool Answer(Status status, Metadata? moreTrailers, bool atOnce = false)
    {
        lock (Gate)
        {
            if (IsStopped)
            {
                return false;
            }

            if (atOnce)
            {
                CancelLocked();
            }

            if (atOnce && Volatile.Read(ref _waitingSends) > 0)
            {
                _phase = Answered;
                // The status would go out behind messages that the client does not take. It knows its deadline itself.
            }
            else
            {
                HeaderList headers = default;
                ResponseHead.WriteTrailers(ref headers, status, atOnce ? null : _responseTrailers, moreTrailers, trailersOnly: !_headersSent);
                Stream.SendHeaders(headers.AsSpan(), endStream: true);
                _headersSent = true;
                _phase = Answered;
                atOnce = false;
            }
        }

        StopTimer();
        if (atOnce)
        {
            Stream.Reset(Http2ErrorCode.Cancel, status.Detail);
        }
        else if (Volatile.Read(ref _waitingSends) == 0)
        {
            EndInput();
        }

        return true;
    }

    /// <summary>The response is out: what the client still sends is not wanted (RFC 9113 §8.1).</summary>
    private void EndInput()
    {
        if (Stream.IsInputCompleted)
        {
            Stream.CloseInput();
        }
        else
        {
            Stream.Reset(Http2ErrorCode.NoError, "the call has ended");
        }
    }

    private void Cancel()
    {
        lock (Gate)
        {
            CancelLocked();
        }
    }

    private void CancelLocked()
    {
        if (!_cancelled)
        {
            _cancelled = true;
            _cancellationCallbacks = _cancellation?.CancelAsync(); // callbacks run on the pool
        }
    }

    private void StopTimer()
    {
        lock (Gate)
        {
            _timer?.Dispose();
        }
    }

    private async ValueTask ReleaseServiceAsync()
    {
        if (Service is null)
        {
            return;
        }

        try
        {
            await ReleaseAsync().ConfigureAwait(false);
        }
        catch (Exception error) // the call has its status; what is left is to tell the operator
        {
            RpcLog.ReleaseFailed(_connection.Server.Logger, error, Method, Peer);
        }
    }

    private async ValueTask AwaitCancellationCallbacksAsync()
    {
        Task? callbacks;
        lock (Gate)
        {
            callbacks = _cancellationCallbacks;
        }

        if (callbacks is null)
        {
            return;
        }

        try
        {
            await callbacks.ConfigureAwait(false);
        }
        catch (Exception error) // what a callback of the application throws
        {
            RpcLog.CancellationCallbackFailed(_connection.Server.Logger, error, Method, Peer);
        }
    }
}
