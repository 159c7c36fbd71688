using System.Buffers.Binary;
using Weir.Http2;
using Weir.Rpc.Compression;

namespace Weir.Rpc.Protocol;

/// <summary>What a call sends: one message, or several.</summary>
internal interface IMessagePayload : IPayload
{
    /// <summary>The payload will not be sent (again): gives what it lies in back to the pool. Not required: one that is dropped is collected.</summary>
    void Release();
}

/// <summary>One message with its five-octet prefix: serialised straight into the engine's buffer, or compressed beforehand.</summary>
internal readonly struct MessagePayload<T> : IMessagePayload
{
    /// <summary>Octets before each message: the compressed flag and the length, big endian.</summary>
    public const int PrefixBytes = 5;

    private readonly Marshaller<T> _marshaller;
    private readonly T _message;
    private readonly PooledBuffer? _compressed;

    private MessagePayload(Marshaller<T> marshaller, T message, int length, PooledBuffer? compressed)
    {
        _compressed = compressed;
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

        return new MessagePayload<T>(marshaller, message, size + PrefixBytes, null);
    }

    /// <summary>Sizes and compresses a message; one that does not get smaller is sent as it is. The limit is of the message, not of what is sent.
    /// Throws <see cref="RpcException"/> (ResourceExhausted) when it is larger than <paramref name="maxBytes"/>.</summary>
    public static MessagePayload<T> CreateCompressed(Marshaller<T> marshaller, T message, int maxBytes, MessageCompression compression)
    {
        var plain = Create(marshaller, message, maxBytes);
        var size = plain.Length - PrefixBytes;
        if (size == 0)
        {
            return plain;
        }

        var serialised = OctetPool.Shared.Rent(size);
        var compressed = new PooledBuffer(int.MaxValue);
        var isSmaller = false;
        try
        {
            marshaller.Write(message, serialised.AsSpan(0, size));
            compression.Compress(serialised.AsSpan(0, size), compressed);
            isSmaller = compressed.Length < size;
            return isSmaller ? new MessagePayload<T>(marshaller, message, compressed.Length + PrefixBytes, compressed) : plain;
        }
        finally
        {
            OctetPool.Shared.Return(serialised);
            if (!isSmaller)
            {
                compressed.Dispose();
            }
        }
    }

    /// <inheritdoc/>
    public void Release() => _compressed?.Dispose();

    /// <inheritdoc/>
    public void WriteTo(Span<byte> destination)
    {
        if (_compressed is not null)
        {
            destination[0] = 1;
            BinaryPrimitives.WriteInt32BigEndian(destination[1..], _compressed.Length);
            _compressed.Written.CopyTo(destination[PrefixBytes..]);
            return;
        }

        destination[0] = 0;
        BinaryPrimitives.WriteInt32BigEndian(destination[1..], Length - PrefixBytes);
        _marshaller.Write(_message, destination[PrefixBytes..]);
    }

    /// <summary>Throws the error of a message that is larger than the limit.</summary>
    public static void ThrowTooLarge(int size, int maxBytes) => throw new RpcException(
        StatusCode.ResourceExhausted, $"message to send of {size} bytes; the limit is {maxBytes} (MaxSendMessageBytes)");
}
