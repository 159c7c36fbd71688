namespace Weir.Rpc.Protocol;

/// <summary>One shared message.</summary>
internal readonly struct SharedPayload : IMessagePayload
{
    private readonly byte[] _octets;

    private SharedPayload(byte[] octets) => _octets = octets;

    /// <inheritdoc/>
    public int Length => _octets.Length;

    /// <summary>The payload of a message.</summary>
    /// <exception cref="RpcException">ResourceExhausted: the message is larger than <paramref name="maxBytes"/>.</exception>
    public static SharedPayload Create<T>(SharedMessage<T> message, Marshaller<T> marshaller, int maxBytes, MessageCompression? compression)
    {
        var (octets, messageBytes) = message.Encode(marshaller, compression);
        if (messageBytes > maxBytes)
        {
            MessagePayload<T>.ThrowTooLarge(messageBytes, maxBytes);
        }

        return new SharedPayload(octets);
    }

    /// <inheritdoc/>
    public void Release()
    {
        // The octets are the message's own.
    }

    /// <inheritdoc/>
    public void WriteTo(Span<byte> destination) => _octets.CopyTo(destination);
}

/// <summary>Some shared messages, one after another, as one payload: one look at the windows and one hold of the connection's lock for all.</summary>
internal readonly struct SharedRunPayload<T> : IMessagePayload
{
    /// <summary>A payload takes no further message once it has this many octets: it waits for room as a whole.</summary>
    private const int MostBytes = 16 * 1024;

    private readonly Marshaller<T> _marshaller;
    private readonly ReadOnlyMemory<SharedMessage<T>> _messages;
    private readonly MessageCompression? _compression;

    private SharedRunPayload(Marshaller<T> marshaller, ReadOnlyMemory<SharedMessage<T>> messages, MessageCompression? compression, int length)
    {
        _marshaller = marshaller;
        _messages = messages;
        _compression = compression;
        Length = length;
    }

    /// <inheritdoc/>
    public int Length { get; }

    /// <summary>Takes as many of the first messages as one payload holds, at least one, off <paramref name="messages"/>.</summary>
    /// <exception cref="RpcException">ResourceExhausted: the first message is larger than <paramref name="maxBytes"/>.</exception>
    public static SharedRunPayload<T> Take(
        ref ReadOnlyMemory<SharedMessage<T>> messages, Marshaller<T> marshaller, int maxBytes, MessageCompression? compression)
    {
        var (count, length) = (0, 0);
        foreach (var message in messages.Span)
        {
            var (octets, messageBytes) = message.Encode(marshaller, compression);
            if (messageBytes > maxBytes && count == 0)
            {
                MessagePayload<T>.ThrowTooLarge(messageBytes, maxBytes);
            }

            if (count > 0 && (messageBytes > maxBytes || length + octets.Length > MostBytes))
            {
                break; // it is the first of the next payload
            }

            length += octets.Length;
            count++;
        }

        var payload = new SharedRunPayload<T>(marshaller, messages[..count], compression, length);
        messages = messages[count..];
        return payload;
    }

    /// <inheritdoc/>
    public void Release()
    {
        // The octets are the messages' own.
    }

    /// <inheritdoc/>
    public void WriteTo(Span<byte> destination)
    {
        foreach (var message in _messages.Span)
        {
            var (octets, _) = message.Encode(_marshaller, _compression); // found, not made: Take has asked for it
            octets.CopyTo(destination);
            destination = destination[octets.Length..];
        }
    }
}
