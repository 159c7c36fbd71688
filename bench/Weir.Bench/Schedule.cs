using System.Diagnostics;

namespace Weir.Bench;

/// <summary>When each ping of an open loop is due, and how long after that its answer came: a stall counts for every ping that it holds up, sent or not.
/// Time runs from the creation on. Pings go to the streams in turn; one thread sends, any number take answers.</summary>
internal sealed class Schedule(int pings, int perSecond, int streams)
{
    private readonly double _interval = (double)Stopwatch.Frequency / perSecond; // Stopwatch ticks between two pings
    private readonly long[] _latencies = new long[pings];
    private readonly long _start = Stopwatch.GetTimestamp();

    public int Pings => pings;

    /// <summary>Until a ping's time has come the thread gives its core to whoever wants it, without going to sleep: a sleep is too coarse.</summary>
    public void WaitFor(int ping)
    {
        while (Stopwatch.GetTimestamp() < Due(ping))
            Thread.Yield();
    }

    /// <summary>The next answer of a stream is here: its k-th belongs to its k-th ping.</summary>
    public void Answered(int stream, int answer)
    {
        var ping = stream + answer * streams;
        _latencies[ping] = Stopwatch.GetTimestamp() - Due(ping);
    }

    /// <summary>How many pings a stream gets.</summary>
    public int Share(int stream) => pings / streams + (stream < pings % streams ? 1 : 0);

    /// <summary>After the last answer: the rate that was kept and the percentiles of the latencies.</summary>
    public string Report()
    {
        var last = _latencies.Select((latency, ping) => Due(ping) + latency).Max();
        var kept = pings / Stopwatch.GetElapsedTime(_start, last).TotalSeconds;
        Array.Sort(_latencies);
        return $" kept={kept:F0}/s p50={At(0.5):F0}us p99={At(0.99):F0}us p99.9={At(0.999):F0}us max={At(1):F0}us";
    }

    private long Due(int ping) => _start + (long)(ping * _interval);

    private double At(double share) => _latencies[Math.Max(0, (int)Math.Ceiling(share * pings) - 1)] * 1e6 / Stopwatch.Frequency;
}
