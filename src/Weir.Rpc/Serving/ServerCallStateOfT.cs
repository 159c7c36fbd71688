using System.Runtime.CompilerServices;
using Weir.Http2;
using Weir.Rpc.Interception;
using Weir.Rpc.Protocol;

namespace Weir.Rpc.Serving;

/// <summary>One call of a server with its messages.</summary>
internal sealed class ServerCallState<TRequest, TResponse> : ServerCallState
    where TRequest : class
    where TResponse : class
{
    private readonly BoundMethod<TRequest, TResponse> _method;
    private readonly Watches? _watches; // null without limits
    private ResponseSender<TResponse>? _sender;

    public ServerCallState(BoundMethod<TRequest, TResponse> method, ServerConnection connection, Http2Stream stream, in RequestHead head)
        : base(connection, stream, method.Path, head)
    {
        _method = method;
        Messages = new IncomingMessages<TRequest>(this, method.Method.Requests, Settings.MaxReceiveMessageBytes, single: HasSingleRequest);
        if (Settings.MessageTimeout is not null || Settings.SendTimeout is not null)
        {
            _watches = new Watches(
                MessageWatch.Create(Settings.TimeProvider, Settings.MessageTimeout, () => EndEarly(new Status(
                    StatusCode.DeadlineExceeded, $"no message came for {Settings.MessageTimeout?.TotalSeconds:0.###} s (MessageTimeout)"))),
                MessageWatch.Create(Settings.TimeProvider, Settings.SendTimeout, () => EndEarly(new Status(
                    StatusCode.DeadlineExceeded, $"no message could be sent for {Settings.SendTimeout?.TotalSeconds:0.###} s (SendTimeout)"))));
        }
    }

    /// <summary>The requests.</summary>
    public IncomingMessages<TRequest> Messages { get; }

    /// <summary>The requests as a handler reads them.</summary>
    public IAsyncEnumerable<TRequest> Requests => _watches?.Receives is { } watch ? new WatchedMessages<TRequest>(Messages, watch) : Messages;

    /// <inheritdoc/>
    protected override bool HasSingleRequest => _method.Method.Kind is MethodKind.Unary or MethodKind.ServerStreaming;

    /// <summary>Whether the handler gives one response rather than a stream.</summary>
    public bool HasSingleResponse => _method.Method.Kind is MethodKind.Unary or MethodKind.ClientStreaming;

    /// <summary>Reads the one request.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<TRequest> ReadSingleAsync()
    {
        if (!await MoveToSingleAsync().ConfigureAwait(false))
        {
            throw new RpcException(Cardinality.NoRequest);
        }

        var request = Messages.Current;
        await Messages.MoveNextAsync().ConfigureAwait(false); // the end, which has come with the request: anything else throws
        return request;
    }

    /// <summary>Sends the one response.</summary>
    public ValueTask SendSingleAsync(TResponse? response) => SendAsync(CheckResponse(response), ResponsesUncompressed, CancellationToken.None);

    /// <summary>Throws InvalidOperationException when a handler gave no response.</summary>
    public TResponse CheckResponse(TResponse? response) =>
        response ?? throw new InvalidOperationException($"The handler of {Method} returned null instead of a response.");

    /// <summary>Sends everything that the handler gives. While it gives without waiting and there is room, nothing here waits or allocates.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    public async ValueTask SendAllAsync(IAsyncEnumerable<TResponse> responses)
    {
        if (responses is ISharedMessages<TResponse> shared)
        {
            await foreach (var run in shared.InRuns(CancellationToken).ConfigureAwait(false))
            {
                await SendAsync(run, ResponsesUncompressed ? null : SendCompression, CancellationToken.None).ConfigureAwait(false);
            }

            return;
        }

        await foreach (var response in responses.WithCancellation(CancellationToken).ConfigureAwait(false))
        {
            await SendAsync(response, ResponsesUncompressed, CancellationToken.None).ConfigureAwait(false);
        }
    }

    /// <summary>Sends what handlers send by <see cref="GetSender"/> another way.</summary>
    public void UseSender(ResponseSender<TResponse> sender) => _sender = sender;

    /// <inheritdoc/>
    public override ResponseSender<T> GetSender<T>()
    {
        if (HasSingleResponse)
        {
            throw new InvalidOperationException($"{Method} has a single response: its handler returns it.");
        }

        _sender ??= new Sender(this);
        return _sender as ResponseSender<T>
            ?? throw new InvalidOperationException($"The responses of {Method} are {typeof(TResponse)}, not {typeof(T)}.");
    }

    /// <inheritdoc/>
    public override void OnReadable() => Messages.OnReadable();

    /// <inheritdoc/>
    protected override void BeginReading() => Messages.Attach(Stream);

    /// <inheritdoc/>
    protected override void WakeReader() => Messages.Wake();

    /// <inheritdoc/>
    protected override ValueTask HandleAsync() => _method.Interceptors is { } interceptors
        ? new InterceptedHandler<TRequest, TResponse>(this, _method, interceptors).RunAsync()
        : _method.HandleAsync(this);

    /// <inheritdoc/>
    protected override ValueTask ReleaseAsync() => _method.ReleaseAsync(this);

    private ValueTask<bool> MoveToSingleAsync() =>
        _watches?.Receives is { } watch ? watch.WatchAsync(Messages.MoveNextAsync()) : Messages.MoveNextAsync();

    private MessagePayload<TResponse> CreatePayload(TResponse message, bool uncompressed) => SendCompression is null || uncompressed
        ? MessagePayload<TResponse>.Create(_method.Method.Responses, message, Settings.MaxSendMessageBytes)
        : MessagePayload<TResponse>.CreateCompressed(_method.Method.Responses, message, Settings.MaxSendMessageBytes, SendCompression);

    /// <summary>Sends a response, as it is when <paramref name="uncompressed"/>, waiting while there is no room.</summary>
    public ValueTask SendAsync(TResponse message, bool uncompressed, CancellationToken cancellationToken) =>
        SendAsync(CreatePayload(message, uncompressed), cancellationToken);

    private ValueTask SendAsync(
        ReadOnlyMemory<SharedMessage<TResponse>> messages, MessageCompression? compression, CancellationToken cancellationToken)
    {
        while (!messages.IsEmpty)
        {
            var send = SendAsync(TakePayload(ref messages, compression), cancellationToken);
            if (!send.IsCompletedSuccessfully)
            {
                return messages.IsEmpty ? send : SendRestAsync(send, messages, compression, cancellationToken);
            }

            send.GetAwaiter().GetResult();
        }

        return default;
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask SendRestAsync(
        ValueTask send, ReadOnlyMemory<SharedMessage<TResponse>> messages, MessageCompression? compression, CancellationToken cancellationToken)
    {
        await send.ConfigureAwait(false);
        while (!messages.IsEmpty)
        {
            await SendAsync(TakePayload(ref messages, compression), cancellationToken).ConfigureAwait(false);
        }
    }

    private SharedRunPayload<TResponse> TakePayload(ref ReadOnlyMemory<SharedMessage<TResponse>> messages, MessageCompression? compression) =>
        SharedRunPayload<TResponse>.Take(ref messages, _method.Method.Responses, Settings.MaxSendMessageBytes, compression);

    private SharedPayload CreatePayload(SharedMessage<TResponse> message) =>
        SharedPayload.Create(message, _method.Method.Responses, Settings.MaxSendMessageBytes, SendCompression);

    private ValueTask SendAsync<TPayload>(in TPayload payload, CancellationToken cancellationToken)
        where TPayload : struct, IMessagePayload
    {
        if (!HeadersSent)
        {
            TrySendHeaders(null);
        }

        ValueTask send;
        try
        {
            send = Stream.SendAsync(payload, cancellationToken);
            if (send.IsCompletedSuccessfully)
            {
                send.GetAwaiter().GetResult();
                payload.Release();
                return default;
            }
        }
        catch (Exception error) when (error is Http2StreamException or InvalidOperationException)
        {
            return ValueTask.FromException(ToSendException(error));
        }

        return AwaitSendAsync(send, payload);
    }

    private bool TrySend<TPayload>(in TPayload payload)
        where TPayload : struct, IMessagePayload
    {
        if (!HeadersSent)
        {
            TrySendHeaders(null);
        }

        try
        {
            var sent = !IsStopped && Stream.TrySend(payload);
            payload.Release();
            return sent;
        }
        catch (Exception error) when (error is Http2StreamException or InvalidOperationException)
        {
            var exception = ToSendException(error);
            return IsStopped ? false : throw exception;
        }
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask AwaitSendAsync<TPayload>(ValueTask send, TPayload payload)
        where TPayload : struct, IMessagePayload
    {
        BeginWaitingSend();
        _watches?.Sends?.Begin();
        try
        {
            await send.ConfigureAwait(false);
            payload.Release();
        }
        catch (Exception error) when (error is Http2StreamException or InvalidOperationException)
        {
            throw ToSendException(error);
        }
        finally
        {
            _watches?.Sends?.End();
            EndWaitingSend();
        }
    }

    /// <summary>What a send throws that the engine refused: the call's end, or the engine's own reason.</summary>
    /// <remarks>Never called from an exception filter: those run while the locks below the throw are still held, and this takes the call's.</remarks>
    private Exception ToSendException(Exception error)
    {
        if (error is Http2StreamException aborted)
        {
            OnAborted(aborted.Abort); // it may have been thrown before the engine told
        }

        return IsStopped ? CreateStoppedException() : error;
    }

    private sealed record Watches(MessageWatch? Receives, MessageWatch? Sends);

    private sealed class Sender(ServerCallState<TRequest, TResponse> call) : ResponseSender<TResponse>
    {
        /// <inheritdoc/>
        public override ValueTask SendAsync(TResponse message, bool uncompressed, CancellationToken cancellationToken = default)
        {
            ArgumentNullException.ThrowIfNull(message);
            return call.SendAsync(message, uncompressed, cancellationToken);
        }

        /// <inheritdoc/>
        public override bool TrySend(TResponse message, bool uncompressed)
        {
            ArgumentNullException.ThrowIfNull(message);
            return call.TrySend(call.CreatePayload(message, uncompressed));
        }

        /// <inheritdoc/>
        public override ValueTask SendAsync(SharedMessage<TResponse> message, CancellationToken cancellationToken = default)
        {
            ArgumentNullException.ThrowIfNull(message);
            return call.SendAsync(call.CreatePayload(message), cancellationToken);
        }

        /// <inheritdoc/>
        public override ValueTask SendAsync(ReadOnlyMemory<SharedMessage<TResponse>> messages, CancellationToken cancellationToken = default) =>
            call.SendAsync(messages, call.SendCompression, cancellationToken);

        /// <inheritdoc/>
        public override bool TrySend(SharedMessage<TResponse> message)
        {
            ArgumentNullException.ThrowIfNull(message);
            return call.TrySend(call.CreatePayload(message));
        }
    }
}
