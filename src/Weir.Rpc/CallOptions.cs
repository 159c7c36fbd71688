namespace Weir.Rpc;

/// <summary>What a caller may set for one call.</summary>
public readonly record struct CallOptions
{
    /// <summary>Metadata to send with the request. Default: none.</summary>
    public Metadata? Headers { get; init; }

    /// <summary>The instant after which the call ends with DeadlineExceeded on both sides. Default: none.</summary>
    public DateTimeOffset? Deadline { get; init; }

    /// <summary>The span after which the call ends with DeadlineExceeded, counted from its start; the earlier of this and <see cref="Deadline"/> holds. Default: none.</summary>
    public TimeSpan? Timeout { get; init; }

    /// <summary>Ends the call with Cancelled, as the token given beside the options does; either may fire. Default: none.</summary>
    public CancellationToken CancellationToken { get; init; }

    /// <summary>Ends the call too: the token of the call that it helps to answer, when the caller has given both others.</summary>
    internal CancellationToken AnsweredToken { get; init; }

    /// <summary>The options of a call that a handler makes to answer <paramref name="call"/>: it has no more time than that one has left
    /// (<see cref="Deadline"/>), and is cancelled with it (<see cref="CancellationToken"/>). When no time is left it ends with DeadlineExceeded at once.
    /// Nothing else goes along: no metadata, credentials or compression. For all calls of a client: <see cref="CallInvoker.PropagateCalls"/>.</summary>
    /// <example>
    /// <code>
    /// var price = await stocks.GetPrice(request, CallOptions.For(call));
    /// await audit.Note(entry, CallOptions.For(call) with { CancellationToken = default });       // goes on when the client leaves
    /// await cache.Get(key, CallOptions.For(call) with { Timeout = TimeSpan.FromSeconds(1) });    // the earlier of both
    /// </code>
    /// </example>
    public static CallOptions For(ServerCall call)
    {
        ArgumentNullException.ThrowIfNull(call);
        return new CallOptions { Deadline = call.Deadline, CancellationToken = call.CancellationToken };
    }

    /// <summary>How long the caller waits for each response, apart from the call's deadline: when none comes for so long while it waits, the call ends with
    /// DeadlineExceeded and is cancelled. Above zero, up to 24 days. Default: null, no limit.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is out of its range.</exception>
    public TimeSpan? MessageTimeout
    {
        get;
        init => field = value is { } limit ? RpcLimits.CheckTimeout(limit, nameof(MessageTimeout)) : null;
    }

    /// <summary>How long sends may wait for room, apart from the call's deadline: when none of those that wait gets on for so long, the call ends with
    /// DeadlineExceeded and is cancelled. Above zero, up to 24 days. Default: null, no limit.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is out of its range.</exception>
    public TimeSpan? SendTimeout
    {
        get;
        init => field = value is { } limit ? RpcLimits.CheckTimeout(limit, nameof(SendTimeout)) : null;
    }

    /// <summary>Whether the call waits, to its deadline if it has one, while the channel cannot connect; else it ends with Unavailable then. It waits in
    /// any case while the channel connects. Default: null, as the channel's service config says, or else false.</summary>
    public bool? WaitForReady { get; init; }

    /// <summary>What the requests are compressed with; <see cref="MessageCompression.Identity"/> for no compression. A message that does not get smaller
    /// is sent as it is. Default: null, the channel's (<see cref="RpcChannelOptions.Compression"/>).</summary>
    public MessageCompression? Compression { get; init; }

    /// <summary>Sends the request of a call that has a single one as it is, although the call's <see cref="Compression"/> is named to the server. A stream's
    /// messages say so one by one. Default: false.</summary>
    public bool RequestUncompressed { get; init; }
}
