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

    /// <summary>Whether the call waits, to its deadline if it has one, while the channel cannot connect; else it ends with Unavailable then. It waits in
    /// any case while the channel connects. Default: null, as the channel's service config says, or else false.</summary>
    public bool? WaitForReady { get; init; }
}
