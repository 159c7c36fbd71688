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

    /// <summary>What the requests are compressed with; <see cref="MessageCompression.Identity"/> for no compression. A message that does not get smaller
    /// is sent as it is. Default: null, the channel's (<see cref="RpcChannelOptions.Compression"/>).</summary>
    public MessageCompression? Compression { get; init; }

    /// <summary>Sends the request of a call that has a single one as it is, although the call's <see cref="Compression"/> is named to the server. A stream's
    /// messages say so one by one. Default: false.</summary>
    public bool RequestUncompressed { get; init; }
}
