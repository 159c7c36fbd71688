using System.Diagnostics;

namespace Weir.Bench;

/// <summary>One measured run: what to do, and the sums of what its streams did. Time counts from its creation. Its streams share it.</summary>
internal sealed class Round(int count, int width)
{
    private readonly TimeSpan _cpuBefore = Environment.CpuUsage.TotalTime;
    private readonly long _start = Stopwatch.GetTimestamp();
    private long _messages; // interlocked
    private long _bytes; // interlocked
    private long _first; // interlocked: Stopwatch ticks from the start to the first answer of any stream; 0 before

    /// <summary>Messages over all streams.</summary>
    public int Count { get; } = count;

    /// <summary>Streams at a time.</summary>
    public int Width { get; } = width;

    /// <summary>What the workload adds to the round's line.</summary>
    public string Remark { get; set; } = "";

    /// <summary>Runs the body once a stream, all at once, with the stream's share of the messages.</summary>
    public Task SpreadAsync(Func<int, Task> body) =>
        Task.WhenAll(Enumerable.Range(0, Width).Select(index => Task.Run(() => body(Count / Width + (index < Count % Width ? 1 : 0)))));

    /// <summary>An answer is here; the round's first one is its ttf.</summary>
    public void Answered()
    {
        if (Volatile.Read(ref _first) == 0)
            Interlocked.CompareExchange(ref _first, Stopwatch.GetTimestamp() - _start, 0);
    }

    /// <summary>Counts messages of so many payload bytes each.</summary>
    public void Done(int messages, int messageBytes)
    {
        Interlocked.Add(ref _messages, messages);
        Interlocked.Add(ref _bytes, (long)messages * messageBytes);
    }

    /// <summary>The round's line; the time stops here.</summary>
    public string Report(string mode)
    {
        var wall = Stopwatch.GetElapsedTime(_start).TotalSeconds;
        var cpu = (Environment.CpuUsage.TotalTime - _cpuBefore).TotalSeconds;
        var first = _first * 1000.0 / Stopwatch.Frequency;
        return $"{mode} streams={Width} n={_messages} {wall:F2}s {_messages / wall:F0} msg/s {_bytes / wall / 1e6:F0} MB/s ttf={first:F1}ms clientcpu={cpu / wall:F2}{Remark}";
    }
}
