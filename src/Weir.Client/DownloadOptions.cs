namespace Weir.Client;

/// <summary>Settings of one download. Immutable.</summary>
public sealed class DownloadOptions
{
    /// <summary>Whether to replace a file that is there already. Default false: the download is refused before it starts.</summary>
    public bool Overwrite { get; init; }

    /// <summary>Bytes of the file in one message, 1 to 1 MiB. Default 64 KiB.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Outside the range.</exception>
    public int ChunkBytes { get; init => field = TransferLimits.CheckChunk(value); } = TransferLimits.DefaultChunkBytes;

    /// <summary>Told after each chunk, on the transfer's flow of control: it should return at once. Default: nobody.</summary>
    public IProgress<TransferProgress>? Progress { get; init; }

    /// <summary>What to do when the connection breaks. Default <see cref="ReconnectOptions.Default"/>.</summary>
    public ReconnectOptions Reconnect { get; init; } = ReconnectOptions.Default;
}

/// <summary>A finished download.</summary>
/// <param name="FileId">The server's id of the file.</param>
/// <param name="Name">Its label on the server.</param>
/// <param name="Path">Where it is now.</param>
/// <param name="SizeBytes">Its size.</param>
/// <param name="Sha256">Its SHA-256 in lower-case hex, the same at both ends.</param>
/// <param name="ResumedAtBytes">Where this run began: what earlier runs had fetched.</param>
public sealed record DownloadResult(string FileId, string Name, string Path, long SizeBytes, string Sha256, long ResumedAtBytes);
