using System.Globalization;
using Weir.Rpc.Protocol;
using Weir.Rpc.Serving;

namespace Weir.Rpc;

/// <summary>One call as its handler sees it.</summary>
/// <remarks>
/// The call ends after its handler and every task started with <see cref="Run"/> have ended: then the status goes out. A deadline does not wait
/// for them: the client has its status at once, and the call's work is cancelled.
/// A handler's <see cref="RpcException"/> is the call's status; an OperationCanceledException after <see cref="CancellationToken"/> fired ends
/// the call as cancelled; any other exception ends it with Internal, tells the client nothing more, and is logged once.
/// </remarks>
public abstract class ServerCall
{
    private ServerCallExtras? _extras;

    /// <summary>The path: "/weir.v1.Users/GetUserList".</summary>
    public abstract string Method { get; }

    /// <summary>The client's address: "127.0.0.1:51234" or "unix".</summary>
    public abstract string Peer { get; }

    /// <summary>Who the client showed itself to be when its connection was made (mTLS); null when it showed no certificate.</summary>
    public virtual ClientIdentity? ClientIdentity => null;

    /// <summary>The metadata that came with the request.</summary>
    public abstract Metadata RequestHeaders { get; }

    /// <summary>Metadata to send with the status; add to it any time before the handler ends. Not safe for use by several threads at once.</summary>
    public abstract Metadata ResponseTrailers { get; }

    /// <summary>The instant at which the call ends with DeadlineExceeded, or null.</summary>
    public abstract DateTimeOffset? Deadline { get; }

    /// <summary>Fires when the client cancels, the deadline passes or the connection is lost, and when the handler or a task of the call fails.
    /// Callbacks run on the thread pool.</summary>
    public abstract CancellationToken CancellationToken { get; }

    /// <summary>Fires when the server is going to stop, or the call's connection is as old as it may get (<see cref="Http2.Http2Options.MaxConnectionAge"/>):
    /// finish your last messages. Fires before <see cref="CancellationToken"/>. Callbacks run on the thread pool.</summary>
    public abstract CancellationToken Draining { get; }

    /// <summary>What the responses are compressed with; null for no compression. To be set before the first response and its headers. Default: the server's
    /// (<see cref="RpcServerOptions.Compression"/>). What the client does not accept is not used: this is null then.</summary>
    /// <exception cref="InvalidOperationException">The headers are sent already.</exception>
    public virtual MessageCompression? ResponseCompression { get; set; }

    /// <summary>Whether the responses that the handler gives from now on are sent as they are, although others are compressed. A <see cref="ResponseSender{TResponse}"/>
    /// is told with each message instead. Default: false.</summary>
    public virtual bool ResponsesUncompressed { get; set; }

    /// <summary>How many of the requests taken so far came compressed.</summary>
    public virtual int CompressedRequests => 0;

    /// <summary>Sends the response's headers now instead of with the first message. At most once.</summary>
    /// <exception cref="InvalidOperationException">The headers are sent already.</exception>
    /// <exception cref="OperationCanceledException">The call was cancelled.</exception>
    public abstract ValueTask SendHeadersAsync(Metadata headers);

    /// <summary>Starts a task that belongs to the call: the call ends only after it; if it fails, the call fails and its token fires.
    /// The token that the task is given is <see cref="CancellationToken"/>.</summary>
    /// <exception cref="InvalidOperationException">The call has ended.</exception>
    public abstract void Run(Func<CancellationToken, Task> work);

    /// <summary>A sender for responses beside those that the handler returns; safe from several tasks at once.</summary>
    /// <exception cref="InvalidOperationException">The method has a single response, or responses of another type.</exception>
    public abstract ResponseSender<TResponse> GetSender<TResponse>()
        where TResponse : class;

    /// <summary>How many attempts of this call the client has made before this one ("grpc-previous-rpc-attempts"); 0 when it has not said so.</summary>
    public int PreviousAttempts =>
        int.TryParse(RequestHeaders.GetValue(GrpcNames.PreviousAttempts), NumberStyles.None, CultureInfo.InvariantCulture, out var attempts) ? attempts : 0;

    /// <summary>Tells the client, if the call ends with an error, when it may try it again ("grpc-retry-pushback-ms"): after <paramref name="delay"/>, or null for
    /// not at all. It holds for clients whose policy would try again. Goes with <see cref="ResponseTrailers"/>; the last one counts.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The delay is negative or above 24 days.</exception>
    public void PushBackRetry(TimeSpan? delay)
    {
        if (delay is { } wait && wait != TimeSpan.Zero)
        {
            RpcLimits.CheckTimeout(wait, nameof(delay));
        }

        var milliseconds = delay is { } known ? (long)known.TotalMilliseconds : -1;
        ResponseTrailers.Remove(GrpcNames.RetryPushback);
        ResponseTrailers.AddReceived(new Metadata.Entry(GrpcNames.RetryPushback, milliseconds.ToString(CultureInfo.InvariantCulture)));
    }

    /// <summary>What interceptors and handlers of the call tell one another, by keys of their own choice; empty at first. Safe for use by several threads
    /// only as far as a dictionary is.</summary>
    public IDictionary<object, object?> Items => GetExtras().Items;

    /// <summary>Whether something was put into <see cref="Items"/>; asking costs nothing.</summary>
    public bool HasItems => _extras is { Items.Count: > 0 };

    /// <summary>Has a look at the response's headers before they go out, and may change them. The last to ask is told first. An error before any
    /// message has trailers only: there nobody is told. What it throws fails the send.</summary>
    public void OnSendingHeaders(Action<Metadata> change)
    {
        ArgumentNullException.ThrowIfNull(change);
        GetExtras().AddHeadersChange(change);
    }

    /// <summary>Disposes of an object after the call has ended and its service was released; the last one first. A failure is logged.</summary>
    public void RegisterForDispose(IAsyncDisposable disposable)
    {
        ArgumentNullException.ThrowIfNull(disposable);
        GetExtras().AddDisposable(disposable);
    }

    /// <summary>What only some calls have; null until somebody asked for some of it.</summary>
    internal ServerCallExtras? Extras => Volatile.Read(ref _extras);

    private ServerCallExtras GetExtras() => Extras ?? Interlocked.CompareExchange(ref _extras, new ServerCallExtras(), null) ?? _extras;
}
