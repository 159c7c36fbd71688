namespace Weir.Client;

/// <summary>The numbers of a transfer, from the contract in protos/weir/v1/files.proto.</summary>
internal static class TransferLimits
{
    /// <summary>Large enough that the cost of a message is small beside its bytes, small enough to share a connection.</summary>
    public const int DefaultChunkBytes = 64 * 1024;

    /// <summary>The most that the server sends in one chunk.</summary>
    public const int MaxChunkBytes = 1024 * 1024;

    public static int CheckChunk(int value) => value is >= 1 and <= MaxChunkBytes
        ? value
        : throw new ArgumentOutOfRangeException(nameof(value), value, $"A chunk of {value} bytes; allowed are 1 to {MaxChunkBytes}.");
}
