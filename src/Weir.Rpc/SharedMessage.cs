using Weir.Rpc.Protocol;

namespace Weir.Rpc;

/// <summary>
/// A message that goes to many calls: the first send serialises it, every other copies the octets. Where calls compress their messages it is
/// also compressed once for each method. Costs one array of the message's size, for as long as this object is kept.
/// Safe for use by any number of threads; the message may not be changed once it is here.
/// </summary>
/// <typeparam name="T">The messages' type.</typeparam>
public sealed class SharedMessage<T>
{
    private Encoding? _encodings; // the newest first; replaced as a whole

    /// <summary>Wraps a message. Nothing is serialised before it is sent.</summary>
    public SharedMessage(T message)
    {
        ArgumentNullException.ThrowIfNull(message);
        Message = message;
    }

    /// <summary>The message.</summary>
    public T Message { get; }

    /// <summary>The message as it travels, prefix included, and its size before it was compressed, without the prefix.</summary>
    internal (byte[] Octets, int MessageBytes) Encode(Marshaller<T> marshaller, MessageCompression? compression)
    {
        var known = Volatile.Read(ref _encodings);
        var found = Find(known, marshaller, compression);
        while (found is null)
        {
            // Two that are first at the same time both encode; one of the two is kept.
            var encoding = Encoding.Create(marshaller, Message, compression, known);
            var seen = Interlocked.CompareExchange(ref _encodings, encoding, known);
            found = seen == known ? encoding : Find(seen, marshaller, compression);
            known = seen;
        }

        return (found.Octets, found.MessageBytes);
    }

    private static Encoding? Find(Encoding? encodings, Marshaller<T> marshaller, MessageCompression? compression)
    {
        var at = encodings;
        while (at is not null && (at.Compression != compression || at.Marshaller != marshaller))
        {
            at = at.Next;
        }

        return at;
    }

    private sealed record Encoding(Marshaller<T> Marshaller, MessageCompression? Compression, int MessageBytes, byte[] Octets, Encoding? Next)
    {
        public static Encoding Create(Marshaller<T> marshaller, T message, MessageCompression? compression, Encoding? next)
        {
            var payload = compression is null
                ? MessagePayload<T>.Create(marshaller, message, int.MaxValue)
                : MessagePayload<T>.CreateCompressed(marshaller, message, int.MaxValue, compression);
            var octets = new byte[payload.Length];
            payload.WriteTo(octets);
            payload.Release();
            return new Encoding(marshaller, compression, marshaller.GetSize(message), octets, next);
        }
    }
}
