using System.Buffers;
using Weir.Rpc.Protocol;

namespace Weir.Rpc.Compression;

/// <summary>Stands for no compression. Messages of it have no compressed flag, so nothing passes through it.</summary>
internal sealed class IdentityCompression() : MessageCompression(GrpcNames.Identity)
{
    /// <inheritdoc/>
    public override void Compress(ReadOnlySpan<byte> message, IBufferWriter<byte> destination) => destination.Write(message);

    /// <inheritdoc/>
    public override void Decompress(in ReadOnlySequence<byte> data, IBufferWriter<byte> destination)
    {
        foreach (var segment in data)
        {
            destination.Write(segment.Span);
        }
    }
}
