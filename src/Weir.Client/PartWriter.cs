using System.Threading.Channels;
using Google.Protobuf;

namespace Weir.Client;

/// <summary>Writes and hashes what comes while more is received. One caller at a time.</summary>
internal sealed class PartWriter : IAsyncDisposable
{
    // How many chunks wait at most; then receiving waits for the disk.
    private const int WaitingChunks = 8;

    private readonly Channel<ByteString> _chunks = Channel.CreateBounded<ByteString>(
        new BoundedChannelOptions(WaitingChunks) { SingleReader = true, SingleWriter = true });

    private readonly Task _writing;

    public PartWriter(PartFile part) => _writing = Task.Run(() => WriteAllAsync(part));

    /// <summary>Hands over the bytes that follow.</summary>
    /// <exception cref="ChannelClosedException">Writing has failed: <see cref="DisposeAsync"/> throws why.</exception>
    public ValueTask WriteAsync(ByteString data) => _chunks.Writer.WriteAsync(data);

    /// <summary>Waits until everything is written.</summary>
    /// <exception cref="IOException">It could not be written.</exception>
    public async ValueTask DisposeAsync()
    {
        _chunks.Writer.TryComplete();
        await _writing.ConfigureAwait(false);
    }

    private async Task WriteAllAsync(PartFile part)
    {
        try
        {
            await foreach (var chunk in _chunks.Reader.ReadAllAsync().ConfigureAwait(false))
                part.Append(chunk.Span);
        }
        finally
        {
            _chunks.Writer.TryComplete(); // nobody waits for a writer that has failed
        }
    }
}
