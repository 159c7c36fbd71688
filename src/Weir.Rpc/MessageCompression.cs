using System.Buffers;
using System.IO.Compression;
using Weir.Rpc.Compression;

namespace Weir.Rpc;

/// <summary>One way to compress messages. gzip, deflate and brotli are here; derive from this for others. Safe for use by any number of threads.</summary>
/// <remarks>https://github.com/grpc/grpc/blob/master/doc/compression.md. Text that an attacker chooses must not be compressed together with a
/// secret that he wants (CRIME, BREACH): send such messages uncompressed.</remarks>
public abstract class MessageCompression
{
    /// <summary>Creates a compression.</summary>
    /// <param name="name">Its name on the wire, in grpc-encoding: lower-case letters, digits, '-', '_' and '.'.</param>
    /// <exception cref="ArgumentException">The name has other characters or none.</exception>
    protected MessageCompression(string name)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        foreach (var c in name)
        {
            if (!(char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c is '-' or '_' or '.'))
            {
                throw new ArgumentException($"The name \"{name}\" has U+{(int)c:X4}; lower-case letters, digits, '-', '_' and '.' are allowed.", nameof(name));
            }
        }

        Name = name;
    }

    /// <summary>No compression: turns off, for a call, the one that its channel or server has set. Every peer accepts it.</summary>
    public static MessageCompression Identity { get; } = new IdentityCompression();

    /// <summary>"gzip" (RFC 1952), as fast as it goes. Every gRPC implementation has it.</summary>
    public static MessageCompression Gzip { get; } = CreateGzip(CompressionLevel.Fastest);

    /// <summary>"deflate", which in gRPC is the zlib format (RFC 1950), as fast as it goes.</summary>
    public static MessageCompression Deflate { get; } = CreateDeflate(CompressionLevel.Fastest);

    /// <summary>"br" (RFC 7932), as fast as it goes. Weir's own offer: other implementations seldom have it.</summary>
    public static MessageCompression Brotli { get; } = CreateBrotli(CompressionLevel.Fastest);

    /// <summary>The name on the wire: "gzip".</summary>
    public string Name { get; }

    /// <summary>"gzip" with a level.</summary>
    public static MessageCompression CreateGzip(CompressionLevel level) => new GzipCompression(level);

    /// <summary>"deflate" with a level.</summary>
    public static MessageCompression CreateDeflate(CompressionLevel level) => new DeflateCompression(level);

    /// <summary>"br" with a level.</summary>
    public static MessageCompression CreateBrotli(CompressionLevel level) => new BrotliCompression(level);

    /// <summary>Compresses one whole message, which is not empty, into <paramref name="destination"/>.</summary>
    public abstract void Compress(ReadOnlySpan<byte> message, IBufferWriter<byte> destination);

    /// <summary>Decompresses one whole message, which is not empty, into <paramref name="destination"/>, piece by piece: asking it for room without a
    /// size hint and advancing it is what stops a message above the receive limit, by an exception that must be let through.
    /// Any other exception ends the call with Internal.</summary>
    /// <exception cref="InvalidDataException">The data is corrupt or incomplete.</exception>
    public abstract void Decompress(in ReadOnlySequence<byte> data, IBufferWriter<byte> destination);
}
