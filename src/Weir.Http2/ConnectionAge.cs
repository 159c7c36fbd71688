namespace Weir.Http2;

/// <summary>Ends a server's connection when it is old (gRFC A9): gracefully first, so that clients spread anew over the servers, then, after the grace, in
/// any case. Thread-safe.</summary>
internal sealed class ConnectionAge(Http2Connection connection, Http2Options options) : IDisposable
{
    // Connections that were made together do not end together.
    private const double Jitter = 0.1;

    private readonly Lock _lock = new();
    private ITimer? _timer; // under _lock
    private bool _drained;  // under _lock

    public void Start()
    {
        if (!connection.IsServer || options.MaxConnectionAge == Timeout.InfiniteTimeSpan)
        {
            return;
        }

        var age = options.MaxConnectionAge * (1 + (Jitter * ((2 * Random.Shared.NextDouble()) - 1)));
        lock (_lock)
        {
            _timer = options.TimeProvider.CreateTimer(static state => ((ConnectionAge)state!).OnDue(), this, age, Timeout.InfiniteTimeSpan);
        }
    }

    public void Dispose()
    {
        lock (_lock)
        {
            _timer?.Dispose();
            _timer = null;
        }
    }

    private void OnDue()
    {
        bool drained;
        lock (_lock)
        {
            drained = _drained;
            _drained = true;
        }

        if (drained)
        {
            connection.Close(Http2ErrorCode.NoError, $"The connection was open for {options.MaxConnectionAge.TotalSeconds:0.###} s (MaxConnectionAge), and its streams for {options.MaxConnectionAgeGrace.TotalSeconds:0.###} s after that (MaxConnectionAgeGrace).");
            return;
        }

        connection.BeginDrain();
        lock (_lock)
        {
            _timer?.Change(options.MaxConnectionAgeGrace, Timeout.InfiniteTimeSpan);
        }
    }
}
