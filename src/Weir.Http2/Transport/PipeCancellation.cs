namespace Weir.Http2.Transport;

/// <summary>Turns "cancel the pending operation, or the next one" into a token for socket calls. Thread-safe.</summary>
#pragma warning disable CA1001 // a source without timer, link or wait handle holds nothing to dispose
internal sealed class PipeCancellation
#pragma warning restore CA1001
{
    private readonly Lock _lock = new();
    private CancellationTokenSource _source = new();
    private bool _requested;

    /// <summary>The token that the next socket call takes.</summary>
    public CancellationToken Token
    {
        get
        {
            lock (_lock)
            {
                return _source.Token;
            }
        }
    }

    public void Request()
    {
        CancellationTokenSource source;
        lock (_lock)
        {
            _requested = true;
            source = _source;
        }

        source.Cancel();
    }

    /// <summary>Whether a cancellation was requested since the last call; it is taken with this.</summary>
    public bool TryTake()
    {
        if (!Volatile.Read(ref _requested))
        {
            return false;
        }

        lock (_lock)
        {
            _requested = false;
            _source = new CancellationTokenSource();
        }

        return true;
    }
}
