using System.Globalization;
using Weir.Http2;
using Weir.Rpc.Protocol;

namespace Weir.Rpc.Channels;

/// <summary>
/// One call of a client: opens its stream, follows the response's header blocks and decides the status, exactly once. Everything may come from
/// any thread: the application's, the connection's read loop, timers. The call's own lock guards the state and is never held while the engine,
/// the pool or the application is called (the engine calls <see cref="SetStream"/> under its lock: connection before call is the order).
/// </summary>
internal abstract class ClientCall : IHttp2StreamListener, IMessageOwner
{
    private const int Open = 0;
    private const int EndedByServer = 1; // what has arrived before the trailers may still be read
    private const int Stopped = 2;       // ended by this side or by a loss: reading stops at once
    private const int Left = 3;          // ended by the server, and then left, or lost, before everything was read

    private readonly ChannelCore _channel;
    private readonly Metadata? _requestHeaders;
    private readonly DateTimeOffset? _deadline;
    private readonly Action<Http2Stream> _setStream;
    private DeadlineTimer? _timer;
    private CancellationTokenRegistration _registration;
    private volatile Http2Stream? _stream;
    private volatile Http2Stream? _sendStream;
    private volatile int _phase;
    private Status _status;
    private Exception? _cause;
    private Status? _leftBecause;
    private Metadata? _trailers;
    private Metadata? _headers;
    private bool _headersReceived;
    private bool _retried;
    private volatile bool _wasRefused;
    private int _compressedResponses;
    private TaskCompletionSource<Metadata>? _headersSource;

    protected ClientCall(ChannelCore channel, string path, in CallOptions options, MethodConfig? config)
    {
        _channel = channel;
        _requestHeaders = options.Headers;
        WaitsForReady = options.WaitForReady ?? config?.WaitForReady ?? false;
        MaxSendMessageBytes = Math.Min(config?.MaxRequestMessageBytes ?? int.MaxValue, channel.Options.MaxSendMessageBytes);
        Path = path;
        _deadline = GetDeadline(options, channel.Options.TimeProvider.GetUtcNow());
        _setStream = SetStream;
        var compression = options.Compression ?? channel.Options.Compression;
        Compression = compression == MessageCompression.Identity ? null : compression;
        IsRequestUncompressed = options.RequestUncompressed;
    }

    /// <summary>Where the call stands in the pool's queue; under the pool's lock.</summary>
    internal LinkedListNode<ClientCall>? WaitingNode { get; set; }

    /// <summary>Whether the call waits while the channel cannot connect.</summary>
    internal bool WaitsForReady { get; }

    /// <summary>How many attempts of the same call were made before this one; told to the server.</summary>
    internal int PreviousAttempts { get; init; }

    /// <summary>Whether a response has begun: headers, and not trailers only.</summary>
    internal bool HasResponse
    {
        get
        {
            lock (this)
            {
                return _headersReceived;
            }
        }
    }

    /// <summary>Whether the call's last stream was ended before the server did anything with it.</summary>
    internal bool WasRefused => _wasRefused;

    /// <summary>Says that somebody else tries the call again when its stream was refused.</summary>
    internal bool IsAttempt { init => _retried = value; }

    /// <summary>The status of a call that has ended.</summary>
    internal Status EndStatus => _status;

    /// <summary>Told once when the status is decided; must be quick and not throw.</summary>
    internal Action? Ended { get; set; }

    /// <summary>Whether the status is decided.</summary>
    public bool IsFinished => _phase != Open;

    /// <inheritdoc/>
    public MessageCompression? ReceivedCompression { get; private set; }

    /// <summary>How many responses taken so far came compressed.</summary>
    public int CompressedResponses => Volatile.Read(ref _compressedResponses);

    /// <inheritdoc/>
    public bool IsStopped => _phase >= Stopped;

    /// <inheritdoc/>
    public Status SurplusFailure => Cardinality.SecondResponse;

    /// <summary>The trailers; throws InvalidOperationException before the call has ended.</summary>
    public Metadata Trailers => IsFinished
        ? _trailers ??= new Metadata()
        : throw new InvalidOperationException("The call has not ended: its trailers are not here yet.");

    /// <summary>The stream to send on; null while there is none or earlier sends go out on it. Written under the call's lock.</summary>
    protected Http2Stream? SendStream { get => _sendStream; set => _sendStream = value; }

    /// <summary>What requests are compressed with; null: nothing.</summary>
    protected MessageCompression? Compression { get; }

    /// <summary>Whether the one request is sent as it is all the same.</summary>
    protected bool IsRequestUncompressed { get; }

    /// <summary>The path of the method.</summary>
    protected string Path { get; }

    /// <summary>The largest message that may be sent.</summary>
    protected int MaxSendMessageBytes { get; }

    /// <summary>The channel's settings.</summary>
    protected RpcChannelOptions Settings => _channel.Options;

    /// <summary>The response's headers, once they are here.</summary>
    public Task<Metadata> GetResponseHeadersAsync()
    {
        lock (this)
        {
            if (_headersReceived || _phase is EndedByServer or Left)
            {
                return Task.FromResult(_headers ??= new Metadata());
            }

            if (_phase == Stopped)
            {
                return Task.FromException<Metadata>(CreateException());
            }

            _headersSource ??= new TaskCompletionSource<Metadata>(TaskCreationOptions.RunContinuationsAsynchronously);
            return _headersSource.Task;
        }
    }

    /// <summary>Ends the call with Cancelled if it has not ended, and lets go of its stream.</summary>
    public void Leave(string reason)
    {
        if (Stop(new Status(StatusCode.Cancelled, reason)))
        {
            return;
        }

        LeaveUnread(new Status(StatusCode.Cancelled, reason));
        ReleaseStream();
    }

    /// <summary>Opens the call's stream on a connection. True when it did, or when the call has ended: the pool has nothing more to do for it.</summary>
    public bool TryOpen(ChannelConnection connection)
    {
        if (IsFinished)
        {
            return true;
        }

        HeaderList headers = default;
        headers.Add(GrpcNames.Method, "POST");
        headers.Add(GrpcNames.Scheme, _channel.Address.Scheme);
        headers.Add(GrpcNames.Path, Path);
        headers.Add(GrpcNames.Authority, _channel.Address.Authority);
        headers.Add(GrpcNames.Te, "trailers");
        headers.Add(GrpcNames.ContentType, GrpcNames.GrpcContent);
        headers.Add(GrpcNames.UserAgent, ChannelCore.UserAgent);
        if (Compression is not null)
        {
            headers.Add(GrpcNames.Encoding, Compression.Name);
        }

        if (!_channel.Compressions.IsEmpty)
        {
            headers.Add(GrpcNames.AcceptEncoding, _channel.Compressions.AcceptEncoding);
        }

        if (_deadline is { } deadline)
        {
            headers.Add(GrpcNames.Timeout, GrpcTimeout.Encode(deadline - Settings.TimeProvider.GetUtcNow()));
        }

        if (PreviousAttempts > 0)
        {
            headers.Add(GrpcNames.PreviousAttempts, PreviousAttempts.ToString(CultureInfo.InvariantCulture));
        }

        MetadataCodec.Write(_requestHeaders, ref headers);
        if (connection.Http2.TryOpenStream(this, headers.AsSpan(), endStream: false, _setStream) is not { } stream)
        {
            return false;
        }

        if (IsStopped)
        {
            stream.Reset(Http2ErrorCode.Cancel, _status.Detail);
        }
        else
        {
            OnOpened(stream); // also when the server's whole answer was quicker than this thread
        }

        return true;
    }

    /// <summary>The pool cannot open a stream for this call.</summary>
    public void FailOpening(Status status) => Stop(status);

    /// <inheritdoc/>
    public void OnHeaders(ReadOnlySpan<HeaderField> headers, bool endStream)
    {
        var block = ResponseBlock.Parse(headers);
        if (endStream)
        {
            Finish(EndedByServer, block.GetStatus(isFirst: !_headersReceived), block.Metadata, null);
        }
        else if (_headersReceived)
        {
            Stop(new Status(StatusCode.Internal, "the response has a second block of headers that is not its end"));
        }
        else if (block.HttpStatus is < 100 or >= 200) // else informational: the response's own headers follow (RFC 9110 §15.2)
        {
            if (block.CheckHeaders(_channel.Compressions, out var compression) is { } failure)
            {
                Stop(failure);
            }
            else
            {
                ReceivedCompression = compression; // the messages come after this, on the same loop
                SetHeaders(block.Metadata);
            }
        }
    }

    /// <inheritdoc/>
    public abstract void OnReadable();

    /// <inheritdoc/>
    public void OnAborted(Http2StreamAbort abort)
    {
        var retries = false;
        lock (this)
        {
            // A sender reports the abort that it met, the engine reports it too, and the call may be on its next stream by then.
            if (_stream?.Abort is not { } current || current != abort)
            {
                return;
            }

            _wasRefused = abort.IsUnprocessed;
            if (!IsFinished && abort.IsUnprocessed && !_retried && !_headersReceived && CanRetry)
            {
                retries = _retried = true;
                _stream = null;
                SendStream = null;
            }
        }

        if (retries)
        {
            ThreadPool.UnsafeQueueUserWorkItem(static call => call._channel.Pool.Start(call), this, preferLocal: false);
        }
        else if (_phase == EndedByServer)
        {
            // What was not read yet is there, unless the loss came between the trailers and the end of the input. The wait for it is over.
            if (!_stream!.IsInputCompleted)
            {
                LeaveUnread(StatusMapping.FromAbort(abort));
            }

            OnStopped();
        }
        else if (abort.Origin == Http2AbortOrigin.PeerReset && IsDeadlinePassed)
        {
            Stop(DeadlineStatus);
        }
        else
        {
            Stop(StatusMapping.FromAbort(abort));
        }
    }

    /// <inheritdoc/>
    public void OnCompressedTaken() => Volatile.Write(ref _compressedResponses, _compressedResponses + 1); // one reader at a time

    /// <inheritdoc/>
    public Exception? GetEndOfMessages()
    {
        if (!IsFinished)
        {
            Stop(new Status(StatusCode.Internal, "the server ended the stream without trailers"));
        }
        else if (_phase == EndedByServer && !IsSendingEnded)
        {
            ReleaseStream();
        }
        else if (_phase == Left)
        {
            return new RpcException(_leftBecause!.Value);
        }

        return _status.IsOk ? null : CreateException();
    }

    /// <inheritdoc/>
    public Exception FailReading(Status failure, Exception? cause)
    {
        failure = (cause as RpcException)?.Status ?? failure;
        if (Stop(failure, cause))
        {
            return CreateException();
        }

        ReleaseStream();
        return _status.IsOk ? new RpcException(failure, _trailers, cause) : CreateException();
    }

    /// <inheritdoc/>
    public Exception CancelReading(CancellationToken cancellationToken)
    {
        Leave("the caller cancelled the enumeration");
        return _status.IsOk ? new RpcException(StatusCode.Cancelled, "the caller cancelled the enumeration") : CreateException();
    }

    /// <inheritdoc/>
    public void LeaveReading() => Leave("the caller left the responses before their end");

    /// <summary>Whether this side's half has ended, with everything that was sent on its way.</summary>
    protected abstract bool IsSendingEnded { get; }

    /// <summary>Whether the call may be tried again on a new stream: nothing is lost with the old one. Called under the call's lock.</summary>
    protected abstract bool CanRetry { get; }

    /// <summary>The stream is open: attach the reader, send what waits for it. Also after a retry.</summary>
    protected abstract void OnOpened(Http2Stream stream);

    /// <summary>The response's headers are here: the call is not tried again.</summary>
    protected abstract void OnResponseStarted();

    /// <summary>Reading has stopped, or its wait is over: wake the reader.</summary>
    protected abstract void OnStopped();

    /// <summary>The call has ended: sends that wait for a stream fail.</summary>
    protected abstract void OnFinished();

    /// <summary>Starts the call, which any of the tokens ends. Never throws for what the server or the network does.</summary>
    protected void Begin(CancellationToken cancellationToken, CancellationToken otherToken, CancellationToken answeredToken)
    {
        if (cancellationToken.IsCancellationRequested || otherToken.IsCancellationRequested || answeredToken.IsCancellationRequested)
        {
            Stop(new Status(StatusCode.Cancelled, CallerCancelled));
            return;
        }

        if (IsDeadlinePassed)
        {
            Stop(DeadlineStatus);
            return;
        }

        if (_deadline is not null)
        {
            StartTimer();
        }

        EndWith(cancellationToken, ref _registration);
        if (otherToken.CanBeCanceled && otherToken != cancellationToken)
        {
            EndWithOther(otherToken);
        }

        if (answeredToken.CanBeCanceled)
        {
            EndWithOther(answeredToken);
        }

        _channel.Pool.Start(this);
    }

    /// <summary>Ends the call with a status of this side's making. False when it has ended already.</summary>
    protected bool Stop(Status status, Exception? cause = null) => Finish(Stopped, status, null, cause);

    /// <summary>The exception of a call that ended with an error.</summary>
    protected RpcException CreateException() => new(_status, _trailers, _cause);

    /// <summary>What a send after the end throws.</summary>
    protected Exception CreateSendException() => _status.IsOk
        ? new InvalidOperationException("The call has ended with OK: the server takes no more messages.")
        : CreateException();

    /// <summary>What a send after CompleteAsync throws.</summary>
    internal static InvalidOperationException CreateCompletedException() =>
        new("CompleteAsync was called: the call takes no more requests.");

    private const string CallerCancelled = "the caller cancelled the call";

    internal static Status DeadlineStatus => new(StatusCode.DeadlineExceeded, "the deadline passed before the call ended");

    private bool IsDeadlinePassed => _deadline is { } deadline && Settings.TimeProvider.GetUtcNow() >= deadline;

    internal static DateTimeOffset? GetDeadline(in CallOptions options, DateTimeOffset now)
    {
        if (options.Timeout is not { } timeout)
        {
            return options.Deadline;
        }

        ArgumentOutOfRangeException.ThrowIfLessThan(timeout, TimeSpan.Zero, nameof(CallOptions.Timeout));
        var end = GrpcTimeout.Add(now, timeout);
        return options.Deadline is { } deadline && deadline < end ? deadline : end;
    }

    private void EndWith(CancellationToken cancellationToken, ref CancellationTokenRegistration registration)
    {
        if (!cancellationToken.CanBeCanceled)
        {
            return;
        }

        var made = cancellationToken.UnsafeRegister(static state => ((ClientCall)state!).Stop(new Status(StatusCode.Cancelled, CallerCancelled)), this);
        lock (this)
        {
            registration = made;
        }

        if (IsFinished)
        {
            made.Unregister();
        }
    }

    // Most calls have one token: the registrations of others have no field of their own.
    private void EndWithOther(CancellationToken cancellationToken)
    {
        var other = default(CancellationTokenRegistration);
        EndWith(cancellationToken, ref other);
        Ended += () => other.Unregister();
        if (IsFinished)
        {
            other.Unregister();
        }
    }

    private void StartTimer()
    {
        var timer = DeadlineTimer.Start(
            Settings.TimeProvider, _deadline!.Value, static call => ((ClientCall)call).Stop(DeadlineStatus), this);
        lock (this)
        {
            _timer = timer;
        }

        if (IsFinished)
        {
            timer.Dispose();
        }
    }

    private void SetStream(Http2Stream stream)
    {
        lock (this)
        {
            _stream = stream;
        }
    }

    private void SetHeaders(Metadata? headers)
    {
        TaskCompletionSource<Metadata>? source;
        lock (this)
        {
            _headers = headers;
            _headersReceived = true;
            source = _headersSource;
            if (source is not null)
            {
                _headers ??= new Metadata();
            }
        }

        OnResponseStarted();
        source?.TrySetResult(_headers!);
    }

    private bool Finish(int phase, Status status, Metadata? trailers, Exception? cause)
    {
        TaskCompletionSource<Metadata>? headersSource;
        Http2Stream? stream;
        lock (this)
        {
            if (IsFinished)
            {
                return false;
            }

            _status = status;
            _trailers = trailers;
            _cause = cause;
            headersSource = _headersReceived ? null : _headersSource;
            stream = _stream;
            _phase = phase;
        }

        _timer?.Dispose();
        _registration.Unregister();
        _channel.Pool.Forget(this);
        if (phase == Stopped)
        {
            stream?.Reset(Http2ErrorCode.Cancel, status.Detail);
            OnStopped();
        }

        OnFinished();
        if (headersSource is not null)
        {
            CompleteHeaders(headersSource, phase);
        }

        Ended?.Invoke();
        return true;
    }

    private void CompleteHeaders(TaskCompletionSource<Metadata> source, int phase)
    {
        if (phase == EndedByServer)
        {
            source.TrySetResult(_headers = new Metadata());
            return;
        }

        source.TrySetException(CreateException());
        _ = source.Task.Exception; // the call's own end tells it as well: not unobserved
    }

    /// <summary>The server has ended the call, but what came before the end is not going to be read: reading must not take it for the end.</summary>
    private void LeaveUnread(Status status)
    {
        lock (this)
        {
            if (_phase != EndedByServer)
            {
                return;
            }

            _leftBecause = status;
            _phase = Left;
        }

        OnStopped();
    }

    /// <summary>Lets go of a stream whose response is complete: the server needs nothing more of this side, nor this side of what is unread.</summary>
    private void ReleaseStream()
    {
        if (IsSendingEnded)
        {
            _stream?.CloseInput();
        }
        else
        {
            _stream?.Reset(Http2ErrorCode.NoError, "the response is complete");
        }
    }
}
