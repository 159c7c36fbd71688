using System.Buffers;
using Google.Protobuf;

namespace Weir.Rpc;

/// <summary>The marshaller of protobuf messages.</summary>
public sealed class ProtobufMarshaller<T>(MessageParser<T> parser) : Marshaller<T>
    where T : IMessage<T>
{
    /// <inheritdoc/>
    public override int GetSize(T message) => message.CalculateSize();

    /// <inheritdoc/>
    public override void Write(T message, Span<byte> destination) => message.WriteTo(destination);

    /// <inheritdoc/>
    public override T Read(ReadOnlySpan<byte> payload) => parser.ParseFrom(payload);

    /// <inheritdoc/>
    public override T Read(in ReadOnlySequence<byte> payload) => parser.ParseFrom(payload);
}
