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
}
