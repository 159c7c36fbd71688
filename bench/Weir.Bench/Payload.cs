using Google.Protobuf;
using Weir.Classic;

namespace Weir.Bench;

/// <summary>The messages that every program of the bench sends.</summary>
internal static class Payload
{
    /// <summary>The room that gives each message back.</summary>
    public const string Echo = "echo";

    public const int ChunkBytes = 64 * 1024;

    /// <summary>A message of the mode large: as much data as gRPC's usual limit of a whole message.</summary>
    public const int LargeBytes = 4 * 1024 * 1024;

    /// <summary>The limit that fits a large message and its other fields.</summary>
    public const int MaxMessageBytes = 2 * LargeBytes;

    /// <summary>Streams on one connection; usual defaults of 100 are for servers that strangers reach.</summary>
    public const int MaxStreams = 100_000;

    /// <summary>38 bytes when serialised.</summary>
    public static User User() => new() { Id = 12345, Name = "Augusta Lovelace", Email = "ada@example.com" };

    /// <summary>37 bytes when serialised, in the room "echo".</summary>
    public static ChatMessage Message(string room) =>
        new() { UserId = "bench", Content = new string('x', 16), Timestamp = 1_700_000_000, RoomId = room };

    public static FileChunk Chunk(int bytes) =>
        new() { FileName = "bench.bin", Data = UnsafeByteOperations.UnsafeWrap(new byte[bytes]) };
}
