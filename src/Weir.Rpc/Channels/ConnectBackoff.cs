namespace Weir.Rpc.Channels;

/// <summary>The pauses of gRPC's connection-backoff, one after the other. Not thread-safe.</summary>
internal sealed class ConnectBackoff(BackoffOptions options, Func<double> random)
{
    private TimeSpan _current;

    /// <summary>How long from the start of the next attempt to the start of the one after it, should it fail.</summary>
    public TimeSpan Next()
    {
        if (_current == default)
        {
            _current = options.Initial < options.Max ? options.Initial : options.Max;
            return _current;
        }

        _current = TimeSpan.FromTicks(Math.Min((long)(_current.Ticks * options.Multiplier), options.Max.Ticks));
        return _current * (1 + (options.Jitter * ((2 * random()) - 1)));
    }

    /// <summary>The next pause is the first one again.</summary>
    public void Reset() => _current = default;
}
