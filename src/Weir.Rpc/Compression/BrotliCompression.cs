using System.Buffers;
using System.IO.Compression;

namespace Weir.Rpc.Compression;

/// <summary>RFC 7932, by the framework's coder, without streams.</summary>
internal sealed class BrotliCompression(CompressionLevel level) : MessageCompression("br")
{
    private const int SmallestWindowBits = 10;
    private const int LargestWindowBits = 22;

    private readonly int _quality = level switch
    {
        CompressionLevel.NoCompression => 0,
        CompressionLevel.Fastest => 1,
        CompressionLevel.Optimal => 4,
        CompressionLevel.SmallestSize => 11,
        _ => throw new ArgumentOutOfRangeException(nameof(level), level, "no such level"),
    };

    /// <inheritdoc/>
    public override void Compress(ReadOnlySpan<byte> message, IBufferWriter<byte> destination)
    {
        // A window that the message fits in: a larger one only costs memory on both sides.
        var window = Math.Clamp(33 - int.LeadingZeroCount(message.Length), SmallestWindowBits, LargestWindowBits);
        var room = destination.GetSpan(BrotliEncoder.GetMaxCompressedLength(message.Length));
        if (!BrotliEncoder.TryCompress(message, room, out var count, _quality, window))
        {
            throw new InvalidOperationException($"a message of {message.Length} bytes does not fit into {room.Length} with brotli");
        }

        destination.Advance(count);
    }

    /// <inheritdoc/>
    public override void Decompress(in ReadOnlySequence<byte> data, IBufferWriter<byte> destination)
    {
        using var decoder = new BrotliDecoder();
        var status = OperationStatus.NeedMoreData;
        foreach (var segment in data)
        {
            var rest = segment.Span;
            do
            {
                if (status == OperationStatus.Done && rest.Length > 0)
                {
                    throw new InvalidDataException($"{rest.Length} bytes follow the end of the brotli data");
                }

                status = decoder.Decompress(rest, destination.GetSpan(), out var consumed, out var written);
                destination.Advance(written);
                rest = rest[consumed..];
                if (status == OperationStatus.InvalidData)
                {
                    throw new InvalidDataException("the data is not brotli");
                }
            }
            while (status == OperationStatus.DestinationTooSmall || rest.Length > 0);
        }

        if (status != OperationStatus.Done)
        {
            throw new InvalidDataException("the brotli data is incomplete");
        }
    }
}
