namespace Weir.Client;

/// <summary>Settings of one upload. Immutable.</summary>
public sealed class UploadOptions
{
    /// <summary>The label under which the server keeps the file. Default: the file's name without its folder.</summary>
    public string? Name { get; init; }

    /// <summary>The id under which the upload can go on later: 1 to 64 of <c>[A-Za-z0-9._-]</c>, checked by the server.
    /// Default: <see cref="UploadId.ForFile"/> for a path, a random one for a stream.</summary>
    public string? UploadId { get; init; }

    /// <summary>Bytes of the file in one message, 1 to 1 MiB. Default 64 KiB.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Outside the range.</exception>
    public int ChunkBytes { get; init => field = TransferLimits.CheckChunk(value); } = TransferLimits.DefaultChunkBytes;

    /// <summary>Told after each chunk, on the transfer's flow of control: it should return at once. Default: nobody.</summary>
    public IProgress<TransferProgress>? Progress { get; init; }

    /// <summary>What to do when the connection breaks. Default <see cref="ReconnectOptions.Default"/>.</summary>
    public ReconnectOptions Reconnect { get; init; } = ReconnectOptions.Default;
}

/// <summary>A finished upload.</summary>
/// <param name="FileId">The server's id of the file.</param>
/// <param name="Name">Its label.</param>
/// <param name="SizeBytes">Its size.</param>
/// <param name="Sha256">Its SHA-256 in lower-case hex, the same at both ends.</param>
/// <param name="ResumedAtBytes">Where this run began; the whole size when an earlier run had sent everything.</param>
public sealed record UploadResult(string FileId, string Name, long SizeBytes, string Sha256, long ResumedAtBytes);
