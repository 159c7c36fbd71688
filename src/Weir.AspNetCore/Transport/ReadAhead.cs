using System.Buffers;
using System.IO.Pipelines;

namespace Weir.AspNetCore.Transport;

/// <summary>Copies what a client sends into a pipe of its own as it comes, up to the pipe's bound of 64 KiB, and tells when the client has left.</summary>
internal sealed class ReadAhead
{
    private readonly PipeReader _source;
    private readonly CancellationTokenSource _closed;
    private readonly Pipe _pipe = new(new PipeOptions(useSynchronizationContext: false));
    private readonly Task _copying;

    public ReadAhead(PipeReader source, CancellationTokenSource closed)
    {
        (_source, _closed) = (source, closed);
        _copying = CopyAsync();
    }

    /// <summary>What the client sends.</summary>
    public PipeReader Input => _pipe.Reader;

    /// <summary>Ends the copying and waits for its end.</summary>
    public async Task StopAsync()
    {
        _source.CancelPendingRead();
        _pipe.Writer.CancelPendingFlush();
        await _pipe.Reader.CompleteAsync().ConfigureAwait(false);
        await _copying.ConfigureAwait(false);
    }

    private async Task CopyAsync()
    {
        Exception? failure = null;
        try
        {
            while (true)
            {
                var read = await _source.ReadAsync().ConfigureAwait(false);
                foreach (var piece in read.Buffer)
                    _pipe.Writer.Write(piece.Span);
                _source.AdvanceTo(read.Buffer.End);
                if (read.IsCompleted || read.IsCanceled)
                    break;
                var flush = await _pipe.Writer.FlushAsync().ConfigureAwait(false);
                if (flush.IsCompleted || flush.IsCanceled)
                    break;
            }
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            failure = e; // the reader gets it
        }

        await _pipe.Writer.CompleteAsync(failure).ConfigureAwait(false);
        ThreadPool.UnsafeQueueUserWorkItem(static closed => closed.Cancel(), _closed, preferLocal: false);
    }
}
