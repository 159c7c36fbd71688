using System.IO.Pipelines;

namespace Weir.Rpc.Channels;

/// <summary>A duplex stream (TLS) as a duplex pipe.</summary>
internal sealed class StreamTransport(Stream stream) : IDuplexPipe, IAsyncDisposable
{
    /// <inheritdoc/>
    public PipeReader Input { get; } = PipeReader.Create(stream, new StreamPipeReaderOptions(bufferSize: 64 * 1024, leaveOpen: true));

    /// <inheritdoc/>
    public PipeWriter Output { get; } = PipeWriter.Create(stream, new StreamPipeWriterOptions(leaveOpen: true));

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => stream.DisposeAsync();
}
