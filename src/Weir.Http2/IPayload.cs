namespace Weir.Http2;

/// <summary>Something that knows its length and can write itself: the engine lets it write straight into an open DATA frame.</summary>
/// <remarks>Called under the connection's lock, so both members must be quick, must not block and must not call into the connection.</remarks>
public interface IPayload
{
    /// <summary>The exact number of octets that <see cref="WriteTo"/> fills. Asked once per send, outside the lock.</summary>
    int Length { get; }

    /// <summary>Fills <paramref name="destination"/>, whose length is <see cref="Length"/>. If it throws, nothing is sent.</summary>
    void WriteTo(Span<byte> destination);
}
