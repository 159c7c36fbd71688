namespace Weir.Server.Files;

/// <summary>Which stream writes which resumable upload: one at a time, the newest. Safe for use by any number of threads.</summary>
sealed class ActiveUploads
{
    readonly Lock _gate = new();
    readonly Dictionary<string, Lease> _leases = new(StringComparer.Ordinal);

    /// <summary>Makes the caller the one that writes an upload. A stream that does so now is told to stop and waited for.</summary>
    /// <param name="uploadId">The client's id of the upload.</param>
    /// <param name="stop">Cancelled when a newer stream takes over.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public async ValueTask<Lease> TakeAsync(string uploadId, CancellationTokenSource stop, CancellationToken cancellationToken)
    {
        while (true)
        {
            Lease? older;
            lock (_gate)
            {
                if (!_leases.TryGetValue(uploadId, out older))
                    return _leases[uploadId] = new Lease(this, uploadId, stop);
            }

            await older.EndAsync().WaitAsync(cancellationToken);
        }
    }

    /// <summary>The right to write one upload, until it is disposed.</summary>
    public sealed class Lease(ActiveUploads owner, string uploadId, CancellationTokenSource stop) : IDisposable
    {
        readonly TaskCompletionSource _released = new(TaskCreationOptions.RunContinuationsAsynchronously);

        /// <summary>Whether a newer stream wants the upload.</summary>
        public bool IsTaken { get; private set; }

        /// <summary>Tells the stream to stop. The task is done when it has.</summary>
        public Task EndAsync()
        {
            lock (owner._gate)
            {
                if (_released.Task.IsCompleted) return Task.CompletedTask;
                IsTaken = true;
                _ = stop.CancelAsync(); // its callbacks run elsewhere; the stream's end is what counts
            }

            return _released.Task;
        }

        /// <summary>Gives the upload free.</summary>
        public void Dispose()
        {
            lock (owner._gate)
            {
                owner._leases.Remove(uploadId);
                _released.SetResult();
            }
        }
    }
}
