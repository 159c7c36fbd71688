using System.Buffers;
using Weir.Http2;

namespace Weir.Rpc.Protocol;

/// <summary>The read side of a stream, as far as framing needs it. Implemented by structs, so that calls through it cost nothing.</summary>
internal interface IMessageSource
{
    /// <inheritdoc cref="Http2Stream.IsInputCompleted"/>
    bool IsInputCompleted { get; }

    /// <inheritdoc cref="Http2Stream.TryRead"/>
    bool TryRead(int minimum, out ReadOnlySequence<byte> data);

    /// <inheritdoc cref="Http2Stream.Consume"/>
    void Consume(int bytes);
}

/// <summary>An HTTP/2 stream as the source.</summary>
internal readonly struct StreamSource(Http2Stream stream) : IMessageSource
{
    /// <inheritdoc/>
    public bool IsInputCompleted => stream.IsInputCompleted;

    /// <inheritdoc/>
    public bool TryRead(int minimum, out ReadOnlySequence<byte> data) => stream.TryRead(minimum, out data);

    /// <inheritdoc/>
    public void Consume(int bytes) => stream.Consume(bytes);
}
