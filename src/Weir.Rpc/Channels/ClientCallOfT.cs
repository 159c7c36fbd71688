using System.Runtime.CompilerServices;
using Weir.Http2;
using Weir.Rpc.Protocol;

namespace Weir.Rpc.Channels;

/// <summary>One call of a client with its messages: what the four public kinds are views of.</summary>
internal sealed class ClientCall<TRequest, TResponse> : ClientCall, IChannelCall<TRequest, TResponse>
    where TRequest : class
    where TResponse : class
{
    private readonly Marshaller<TRequest> _marshaller;
    private readonly bool _hasSingleRequest;
    private TRequest? _request;         // of a call with one request: kept until the response begins, for a retry
    private Task? _requestTask;         // sends a request for which there was no room at once
    private bool _messageSent;          // by any sender; written before the engine's lock is taken
    private volatile bool _completed;   // CompleteAsync was called; set under the call's lock
    private LinkedList<EarlySend<TRequest>>? _earlySends; // under the call's lock: those that wait for a stream
    private volatile bool _endSent;     // END_STREAM is on its way, behind the sends that wait
    private int _waitingSends;

    /// <summary>Creates a call with one request.</summary>
    public ClientCall(ChannelCore channel, Method<TRequest, TResponse> method, TRequest request, in CallOptions options, MethodConfig? config = null)
        : this(channel, method, options, config)
    {
        _request = request;
        _hasSingleRequest = true;
        _completed = true;
    }

    /// <summary>Creates a call with a stream of requests.</summary>
    public ClientCall(ChannelCore channel, Method<TRequest, TResponse> method, in CallOptions options, MethodConfig? config = null)
        : base(channel, method.Path, options, config)
    {
        _marshaller = method.Requests;
        var hasSingleResponse = method.Kind is MethodKind.Unary or MethodKind.ClientStreaming;
        var maxReceiveBytes = Math.Min(config?.MaxResponseMessageBytes ?? int.MaxValue, channel.Options.MaxReceiveMessageBytes);
        Messages = new IncomingMessages<TResponse>(this, method.Responses, maxReceiveBytes, single: hasSingleResponse);
    }

    /// <summary>The responses.</summary>
    public IncomingMessages<TResponse> Messages { get; }

    /// <inheritdoc/>
    public IAsyncEnumerable<TResponse> Responses => Messages;

    bool IClientCall.IsCommitted => true;

    void IChannelCall<TRequest, TResponse>.Stop(Status status) => Stop(status);

    /// <inheritdoc/>
    protected override bool CanRetry => _hasSingleRequest || !_messageSent;

    /// <inheritdoc/>
    protected override bool IsSendingEnded => _endSent && Volatile.Read(ref _waitingSends) == 0;

    /// <summary>Starts the call, which any of the tokens ends.</summary>
    public void Start(CancellationToken cancellationToken, CancellationToken otherToken = default, CancellationToken answeredToken = default) =>
        Begin(cancellationToken, otherToken, answeredToken);

    /// <summary>Sends a message, as it is if so asked, waiting while there is no room.</summary>
    public ValueTask SendAsync(TRequest message, bool uncompressed, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(message);
        if (_completed)
        {
            return ValueTask.FromException(CreateCompletedException());
        }

        var payload = CreatePayload(message, uncompressed);
        if (SendStream is not { } stream || IsFinished)
        {
            return SendSlowlyAsync(payload, cancellationToken);
        }

        if (!_messageSent)
        {
            _messageSent = true;
        }

        ValueTask send;
        try
        {
            send = stream.SendAsync(payload, cancellationToken);
            if (send.IsCompletedSuccessfully)
            {
                send.GetAwaiter().GetResult();
                payload.Release();
                return default;
            }
        }
        catch (Http2StreamException error)
        {
            OnAborted(error.Abort);
            return SendSlowlyAsync(payload, cancellationToken); // throws why, or sends on the stream of a retry
        }

        return AwaitSendAsync(send, payload, cancellationToken);
    }

    /// <summary>Sends a message, as it is if so asked, if there is room now.</summary>
    public bool TrySend(TRequest message, bool uncompressed)
    {
        ArgumentNullException.ThrowIfNull(message);
        if (_completed)
        {
            throw CreateCompletedException();
        }

        var payload = CreatePayload(message, uncompressed);
        if (SendStream is not { } stream || IsFinished)
        {
            return false;
        }

        if (!_messageSent)
        {
            _messageSent = true;
        }

        try
        {
            var sent = stream.TrySend(payload);
            payload.Release();
            return sent;
        }
        catch (Http2StreamException error)
        {
            OnAborted(error.Abort);
            return false;
        }
    }

    /// <summary>Ends this side's half after all sends made before; without a stream yet, when there is one.</summary>
    public void Complete()
    {
        Http2Stream? stream;
        lock (this)
        {
            if (_completed)
            {
                return;
            }

            _completed = true;
            stream = SendStream;
        }

        if (stream is not null && !IsFinished)
        {
            SendEnd(stream);
        }
    }

    /// <summary>Reads the one response and its end.</summary>
    public async Task<TResponse> ReadSingleAsync()
    {
        var messages = Messages.GetAsyncEnumerator();
        try
        {
            if (!await messages.MoveNextAsync().ConfigureAwait(false))
            {
                throw new RpcException(Cardinality.NoResponse, Trailers);
            }

            var response = messages.Current;
            await messages.MoveNextAsync().ConfigureAwait(false); // the end: anything else throws
            return response;
        }
        finally
        {
            await messages.DisposeAsync().ConfigureAwait(false);
            if (_requestTask is { } requestTask)
            {
                await requestTask.ConfigureAwait(false);
            }
        }
    }

    /// <summary>Cancels the call if it has not ended.</summary>
    public async ValueTask DisposeAsync()
    {
        Leave("the caller disposed of the call");
        if (_requestTask is { } requestTask)
        {
            await requestTask.ConfigureAwait(false);
        }
    }

    /// <inheritdoc/>
    public override void OnReadable() => Messages.OnReadable();

    /// <inheritdoc/>
    protected override void OnOpened(Http2Stream stream)
    {
        _endSent = false; // on this stream
        Messages.Attach(stream);
        if (_hasSingleRequest)
        {
            SendRequest(stream);
            return;
        }

        if (SendEarlySends(stream))
        {
            SendEnd(stream);
        }
    }

    /// <inheritdoc/>
    protected override void OnResponseStarted() => _request = null;

    /// <inheritdoc/>
    protected override void OnStopped() => Messages.Wake();

    /// <inheritdoc/>
    protected override void OnFinished()
    {
        EarlySend<TRequest>[] sends;
        lock (this)
        {
            if (_earlySends is null)
            {
                return;
            }

            sends = [.. _earlySends];
            _earlySends.Clear();
        }

        foreach (var send in sends)
        {
            send.TrySetException(CreateSendException());
        }
    }

    private MessagePayload<TRequest> CreatePayload(TRequest message, bool uncompressed) => Compression is null || uncompressed
        ? MessagePayload<TRequest>.Create(_marshaller, message, MaxSendMessageBytes)
        : MessagePayload<TRequest>.CreateCompressed(_marshaller, message, MaxSendMessageBytes, Compression);

    private void SendRequest(Http2Stream stream)
    {
        if (_request is not { } request)
        {
            return; // the response began already
        }

        try
        {
            var payload = CreatePayload(request, IsRequestUncompressed);
            if (stream.TrySend(payload))
            {
                payload.Release();
                SendEnd(stream);
            }
            else
            {
                _requestTask = SendRequestSlowlyAsync(stream, payload);
            }
        }
        catch (Exception error)
        {
            FailRequest(error);
        }
    }

    private async Task SendRequestSlowlyAsync(Http2Stream stream, MessagePayload<TRequest> payload)
    {
        try
        {
            await stream.SendAsync(payload).ConfigureAwait(false);
            payload.Release();
            SendEnd(stream);
        }
        catch (Exception error)
        {
            FailRequest(error);
        }
    }

    /// <summary>The one request cannot be sent: ends the call.</summary>
    internal void FailRequest(Exception error)
    {
        if (error is Http2StreamException aborted)
        {
            OnAborted(aborted.Abort);
        }
        else if (error is RpcException tooLarge)
        {
            Stop(tooLarge.Status);
        }
        else
        {
            Stop(new Status(StatusCode.Internal, $"the request cannot be serialised: {error.Message}"), error);
        }
    }

    private void SendEnd(Http2Stream stream)
    {
        try
        {
            stream.SendEndOfStream();
            _endSent = true;
        }
        catch (Http2StreamException error)
        {
            OnAborted(error.Abort);
        }
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask AwaitSendAsync(ValueTask send, MessagePayload<TRequest> payload, CancellationToken cancellationToken)
    {
        try
        {
            await AwaitCountedAsync(send).ConfigureAwait(false);
            payload.Release();
            return;
        }
        catch (Http2StreamException error)
        {
            OnAborted(error.Abort);
        }

        await SendSlowlyAsync(payload, cancellationToken).ConfigureAwait(false);
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask AwaitCountedAsync(ValueTask send)
    {
        Interlocked.Increment(ref _waitingSends);
        try
        {
            await send.ConfigureAwait(false);
        }
        finally
        {
            Interlocked.Decrement(ref _waitingSends);
        }
    }

    private async ValueTask SendSlowlyAsync(MessagePayload<TRequest> payload, CancellationToken cancellationToken)
    {
        EarlySend<TRequest>? early = null;
        Http2Stream? stream;
        lock (this)
        {
            stream = SendStream;
            if (stream is null && !IsFinished)
            {
                _earlySends ??= [];
                var most = Settings.Http2.MaxWaitingSenders;
                if (_earlySends.Count >= most)
                {
                    throw new InvalidOperationException($"{_earlySends.Count + 1} senders would wait on one call; the limit is {most} (MaxWaitingSenders). Await each send.");
                }

                early = new EarlySend<TRequest>(payload, cancellationToken);
                _earlySends.AddLast(early);
            }
        }

        if (early is not null)
        {
            using (cancellationToken.UnsafeRegister(static state => ((Action)state!)(), () => CancelEarlySend(early)))
            {
                await early.Task.ConfigureAwait(false);
            }

            return;
        }

        if (IsFinished)
        {
            throw CreateSendException();
        }

        try
        {
            _messageSent = true;
            await AwaitCountedAsync(stream!.SendAsync(payload, cancellationToken)).ConfigureAwait(false);
            payload.Release();
            return;
        }
        catch (Http2StreamException error)
        {
            OnAborted(error.Abort);
        }

        await SendSlowlyAsync(payload, cancellationToken).ConfigureAwait(false); // throws why, or waits for the stream of the retry
    }

    private void CancelEarlySend(EarlySend<TRequest> send)
    {
        lock (this)
        {
            if (_earlySends?.Remove(send) != true)
            {
                return; // under way: the stream knows its token
            }
        }

        send.TrySetCanceled(send.CancellationToken);
    }

    /// <summary>Sends what has waited for the stream, in its order, and then lets senders at it. True when the end is to be sent after it.</summary>
    private bool SendEarlySends(Http2Stream stream)
    {
        while (true)
        {
            EarlySend<TRequest> send;
            lock (this)
            {
                if (IsFinished || stream.Abort is not null)
                {
                    return false; // they fail with the call, or wait for the stream of the retry
                }

                if (_earlySends is null or { Count: 0 })
                {
                    SendStream = stream;
                    return _completed;
                }

                send = _earlySends.First!.Value;
                _earlySends.RemoveFirst();
            }

            _messageSent = true;
            _ = SendEarlyAsync(stream, send); // in turn: each is queued on the stream when this returns; its sender awaits the outcome
        }
    }

    private async Task SendEarlyAsync(Http2Stream stream, EarlySend<TRequest> send)
    {
        try
        {
            await AwaitCountedAsync(stream.SendAsync(send.Payload, send.CancellationToken)).ConfigureAwait(false);
            send.Payload.Release();
            send.TrySetResult();
        }
        catch (OperationCanceledException)
        {
            send.TrySetCanceled(send.CancellationToken);
        }
        catch (Http2StreamException error)
        {
            OnAborted(error.Abort);
            lock (this)
            {
                if (!IsFinished)
                {
                    _earlySends!.AddFirst(send); // the call is tried again, and so is this
                    return;
                }
            }

            send.TrySetException(CreateSendException());
        }
        catch (Exception error) // what the marshaller throws belongs to the sender
        {
            send.TrySetException(error);
        }
    }
}
