using Grpc.Core;

namespace Weir.Bench;

/// <summary>Small messages of a stream leave many at a time: without the hint every one is flushed.</summary>
internal static class Buffering
{
    /// <summary>What Kestrel holds of a connection's answers before a writer waits.</summary>
    public const long ResponseBytes = 1 << 20;

    private const int Messages = 256; // about 10 KiB; nothing but a flush makes them leave

    /// <summary>The message waits for the next flush.</summary>
    public static WriteOptions Hold { get; } = new(WriteFlags.BufferHint);

    /// <summary>The first goes at once, the others a group at a time, the last with all before it.</summary>
    public static WriteOptions For(int message, int count) => message > 0 && message % Messages != 0 && message < count - 1 ? Hold : WriteOptions.Default;
}
