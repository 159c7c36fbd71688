using System.IO.Pipelines;
using Weir.Http2.Turns;

namespace Weir.Http2;

/// <summary>Feeds a receiver with what the transport brings.</summary>
internal sealed class ReadLoop(PipeReader transport, FrameReceiver receiver)
{
    private readonly TurnAwaiter<ReadResult> _read = new();

    /// <summary>Reads until the peer closes (true) or the read is cancelled (false). Throws what the receiver and the transport throw.</summary>
    public async Task<bool> RunAsync()
    {
        while (true)
        {
            var result = await _read.For(transport.ReadAsync());
            try
            {
                foreach (var segment in result.Buffer)
                {
                    receiver.Feed(segment.Span);
                }
            }
            finally
            {
                // Also after an error: what came whole before it is for its streams, and what follows is still read, to be discarded.
                receiver.NotifyReadable();
                transport.AdvanceTo(result.Buffer.End);
            }

            if (result.IsCompleted)
            {
                receiver.End();
                return true;
            }

            if (result.IsCanceled)
            {
                return false;
            }
        }
    }

    /// <summary>Ends a pending read, or the next one.</summary>
    public void Cancel() => transport.CancelPendingRead();

    /// <summary>Reads on and drops what comes until the peer closes or the time is up: octets left unread would make the system reset the
    /// connection, and the peer lose our last words.</summary>
    public async Task DiscardAsync(CancellationToken limit)
    {
        try
        {
            while (true)
            {
                var result = await transport.ReadAsync(limit).ConfigureAwait(false);
                transport.AdvanceTo(result.Buffer.End);
                if (result.IsCompleted)
                {
                    return;
                }
            }
        }
        catch (Exception e) when (e is OperationCanceledException or IOException or ObjectDisposedException)
        {
            // The time is up or the transport has failed: either way there is nobody left to wait for.
        }
    }
}
