using System.Buffers;

namespace Weir.Rpc.Policies;

/// <summary>Messages that are serialised already.</summary>
internal sealed class RawMarshaller : Marshaller<byte[]>
{
    public static readonly RawMarshaller Instance = new();

    /// <summary>Serialises a message.</summary>
    public static byte[] Serialise<T>(Marshaller<T> marshaller, T message, int maxBytes)
    {
        var size = marshaller.GetSize(message);
        if (size > maxBytes)
        {
            throw new RpcException(StatusCode.ResourceExhausted, $"message to send of {size} bytes; the limit is {maxBytes} (MaxSendMessageBytes)");
        }

        var payload = new byte[size];
        marshaller.Write(message, payload);
        return payload;
    }

    public override int GetSize(byte[] message) => message.Length;

    public override void Write(byte[] message, Span<byte> destination) => message.CopyTo(destination);

    public override byte[] Read(ReadOnlySpan<byte> payload) => payload.ToArray();

    public override byte[] Read(in ReadOnlySequence<byte> payload) => payload.ToArray();
}
