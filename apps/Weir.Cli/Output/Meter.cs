namespace Weir.Cli.Output;

/// <summary>How fast something goes and how long it will take: the rate over the last seconds, so that it follows a change.
/// Not safe for use by several threads at once.</summary>
internal sealed class Meter(TimeProvider time)
{
    /// <summary>The span over which the rate is taken.</summary>
    private const double WindowSeconds = 5;

    private const double SampleSeconds = 0.1;

    private readonly Queue<(double At, double Done)> _samples = new();
    private readonly long _start = time.GetTimestamp();
    private (double At, double Done) _last;

    /// <summary>What is done, in the caller's unit.</summary>
    public double Done => _last.Done;

    /// <summary>What there is to do; 0 when nobody knows.</summary>
    public double Total { get; private set; }

    /// <summary>Per second; 0 before there is something to tell it from.</summary>
    public double PerSecond
    {
        get
        {
            if (!_samples.TryPeek(out var first) || _last.At - first.At <= 0)
                return 0;
            // A stall must show although it brings no samples.
            return Math.Max(0, _last.Done - first.Done) / Math.Max(SampleSeconds, Seconds() - first.At);
        }
    }

    /// <summary>The time left at this rate; null when it cannot be told.</summary>
    public TimeSpan? Left => PerSecond is > 0 and var rate && Total > 0 && (Total - Done) / rate is < 360_000 and var seconds
        ? TimeSpan.FromSeconds(Math.Max(0, seconds))
        : null;

    /// <summary>0 to 1.</summary>
    public double Fraction => Total > 0 ? Math.Clamp(Done / Total, 0, 1) : 0;

    public TimeSpan Elapsed => TimeSpan.FromSeconds(Seconds());

    public void Report(double done, double total)
    {
        var now = Seconds();
        Total = total;
        // What was there at the start was not done in this run and counts in no rate.
        if (_samples.Count == 0 || now - _last.At >= SampleSeconds || done < _last.Done)
        {
            if (done < _last.Done)
                _samples.Clear();
            _samples.Enqueue((now, done));
            while (_samples.Count > 2 && now - _samples.Peek().At > WindowSeconds)
                _samples.Dequeue();
        }

        _last = (now, done);
    }

    private double Seconds() => time.GetElapsedTime(_start).TotalSeconds;
}
