using System.Buffers;
using System.IO.Compression;

namespace Weir.Rpc.Compression;

/// <summary>A compression by one of the framework's streams. Those cannot be reset, so each message has its own; their buffers are pooled.</summary>
internal abstract class StreamCompression(string name) : MessageCompression(name)
{
    /// <inheritdoc/>
    public sealed override void Compress(ReadOnlySpan<byte> message, IBufferWriter<byte> destination)
    {
        using var compressor = CreateCompressor(new BufferStream(destination));
        compressor.Write(message);
    }

    /// <inheritdoc/>
    public sealed override void Decompress(in ReadOnlySequence<byte> data, IBufferWriter<byte> destination)
    {
        using var input = new BufferStream(data, HasMembers);
        using var decompressor = CreateDecompressor(input);
        int count;
        while ((count = decompressor.Read(destination.GetSpan())) > 0)
        {
            destination.Advance(count);
        }

        if (!input.IsUsedUp)
        {
            throw new InvalidDataException($"octets follow the end of the {Name} data");
        }
    }

    /// <summary>Whether data may be several pieces, one after the other.</summary>
    protected abstract bool HasMembers { get; }

    /// <summary>A stream that compresses what is written to it.</summary>
    protected abstract Stream CreateCompressor(Stream compressed);

    /// <summary>A stream that decompresses as it is read.</summary>
    protected abstract Stream CreateDecompressor(Stream compressed);
}

/// <summary>RFC 1952.</summary>
internal sealed class GzipCompression(CompressionLevel level) : StreamCompression("gzip")
{
    /// <inheritdoc/>
    protected override bool HasMembers => true; // RFC 1952 §2.2

    /// <inheritdoc/>
    protected override Stream CreateCompressor(Stream compressed) => new GZipStream(compressed, level);

    /// <inheritdoc/>
    protected override Stream CreateDecompressor(Stream compressed) => new GZipStream(compressed, CompressionMode.Decompress);
}

/// <summary>RFC 1950, which gRPC and HTTP call "deflate".</summary>
internal sealed class DeflateCompression(CompressionLevel level) : StreamCompression("deflate")
{
    /// <inheritdoc/>
    protected override bool HasMembers => false;

    /// <inheritdoc/>
    protected override Stream CreateCompressor(Stream compressed) => new ZLibStream(compressed, level);

    /// <inheritdoc/>
    protected override Stream CreateDecompressor(Stream compressed) => new ZLibStream(compressed, CompressionMode.Decompress);
}
