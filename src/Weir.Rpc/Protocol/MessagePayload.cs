using System.Buffers.Binary;
using Weir.Http2;

namespace Weir.Rpc.Protocol;

/// <summary>One message with its five-octet prefix, serialised straight into the engine's buffer.</summary>
internal readonly struct MessagePayload<T> : IPayload
{
    /// <summary>Octets before each message: the compressed flag and the length, big endian.</summary>
    public const int PrefixBytes = 5;

    private readonly Marshaller<T> _marshaller;
    private readonly T _message;

    private MessagePayload(Marshaller<T> marshaller, T message, int length)
    {
        _marshaller = marshaller;
        _message = message;
        Length = length;
    }

    /// <inheritdoc/>
    public int Length { get; }

    /// <summary>Sizes a message. Throws <see cref="RpcException"/> (ResourceExhausted) when it is larger than <paramref name="maxBytes"/>.</summary>
    public static MessagePayload<T> Create(Marshaller<T> marshaller, T message, int maxBytes)
    {
        var size = marshaller.GetSize(message);
        if (size > maxBytes)
        {
            ThrowTooLarge(size, maxBytes);
        }

        return new MessagePayload<T>(marshaller, message, size + PrefixBytes);
    }

    /// <inheritdoc/>
    public void WriteTo(Span<byte> destination)
    {
        destination[0] = 0;
        BinaryPrimitives.WriteInt32BigEndian(destination[1..], Length - PrefixBytes);
        _marshaller.Write(_message, destination[PrefixBytes..]);
    }

    private static void ThrowTooLarge(int size, int maxBytes) => throw new RpcException(
        StatusCode.ResourceExhausted, $"message to send of {size} bytes; the limit is {maxBytes} (MaxSendMessageBytes)");
}
