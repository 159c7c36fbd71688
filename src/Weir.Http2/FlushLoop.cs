using System.IO.Pipelines;
using Weir.Http2.Turns;

namespace Weir.Http2;

/// <summary>Writes what the output gathered, one batch at a time: the next fills while one is written. Sleeps while there is nothing.</summary>
internal sealed class FlushLoop(Lock gate, OutputBuffer output, SendScheduler scheduler, PipeWriter transport)
{
    private readonly FlushSignal _signal = new();
    private readonly TurnAwaiter<FlushResult> _write = new();

    // Guarded by the gate.
    private bool _idle;
    private bool _closing;

    /// <summary>Wakes the loop if it is idle and there is something to do. Called outside the lock, after something was appended.</summary>
    public void Wake()
    {
        // Read without the lock: whoever appended held it, and has seen the mark if the loop was idle by then.
        if (!Volatile.Read(ref _idle))
        {
            return;
        }

        lock (gate)
        {
            if (!_idle || (output.IsEmpty && !_closing))
            {
                return;
            }

            _idle = false;
        }

        _signal.Queue();
    }

    /// <summary>Lets the loop end once everything gathered is written. Under the lock; <see cref="Wake"/> follows.</summary>
    public void Close() => _closing = true;

    /// <summary>Gives up a write that the peer does not take.</summary>
    public void Abandon() => transport.CancelPendingFlush();

    /// <summary>Runs until <see cref="Close"/>, or until the transport takes no more: false then. Throws what the transport throws.</summary>
    /// <param name="writing">Called under the lock whenever a batch was taken, so that there is room again.</param>
    public async Task<bool> RunAsync(Action writing)
    {
        while (true)
        {
            OutputBatch batch;
            bool taken;
            lock (gate)
            {
                taken = output.TryTake(out batch);
                if (taken)
                {
                    scheduler.BeginWrite();
                    scheduler.Pump();
                    writing();
                }
                else if (_closing)
                {
                    return true;
                }
                else
                {
                    _idle = true;
                }
            }

            if (!taken)
            {
                await _signal.WaitAsync().ConfigureAwait(false);
                continue;
            }

            try
            {
                if (batch.Control is not null && !IsOpen(await _write.For(transport.WriteAsync(batch.Control.AsMemory(0, batch.ControlLength)))))
                {
                    return false;
                }

                if (!IsOpen(await _write.For(transport.WriteAsync(batch.Memory))))
                {
                    return false;
                }
            }
            finally
            {
                batch.Return();
            }
        }
    }

    private static bool IsOpen(FlushResult result) => !result.IsCompleted && !result.IsCanceled;
}
