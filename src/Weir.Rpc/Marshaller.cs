using System.Buffers;

namespace Weir.Rpc;

/// <summary>Turns messages of one type into bytes and back. Safe for use by any number of threads.</summary>
public abstract class Marshaller<T>
{
    /// <summary>The exact number of octets that <see cref="Write"/> fills.</summary>
    public abstract int GetSize(T message);

    /// <summary>Fills <paramref name="destination"/>, whose length is what <see cref="GetSize"/> said.</summary>
    public abstract void Write(T message, Span<byte> destination);

    /// <summary>Parses one message that lies in one piece.</summary>
    public abstract T Read(ReadOnlySpan<byte> payload);

    /// <summary>Parses one message that may lie in several pieces.</summary>
    public abstract T Read(in ReadOnlySequence<byte> payload);
}
