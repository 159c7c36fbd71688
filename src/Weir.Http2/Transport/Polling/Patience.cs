using System.Diagnostics;

namespace Weir.Http2.Transport.Polling;

/// <summary>Whether a poller with nothing to do looks again for a moment before it sleeps. Waking a core that has gone to sleep takes longer than
/// an answer over loopback or a fast network, and in a virtual machine several times as long. Belongs to one thread; does no waiting itself.</summary>
/// <remarks>Looking takes the core from others, so it has to pay: when it was in vain, the next waits go without, twice as many each time.
/// A poller whose events come further apart than <see cref="Longest"/> thus hardly ever looks.</remarks>
internal struct Patience
{
    /// <summary>The most waits without, one after another.</summary>
    public const int MostWaitsWithout = 1024;

    private int _waitsWithout; // left
    private int _penalty = 1;

    public Patience()
    {
    }

    /// <summary>How long to look.</summary>
    public static TimeSpan Longest { get; } = TimeSpan.FromMicroseconds(50);

    /// <summary>Whether there is a core that the peer, or the rest of the program, can have meanwhile, and nobody has switched it off
    /// (<c>Weir.Http2.NeverSpin</c>).</summary>
    public static bool IsAllowed { get; } =
        Environment.ProcessorCount > 1 && !(AppContext.TryGetSwitch("Weir.Http2.NeverSpin", out var never) && never);

    private static readonly long LongestTicks = (long)(Longest.TotalSeconds * Stopwatch.Frequency);

    /// <summary>Whether to look before this wait.</summary>
    public bool Begin()
    {
        if (_waitsWithout == 0)
        {
            return true;
        }

        _waitsWithout--;
        return false;
    }

    /// <summary>Whether to look on, so long after the start.</summary>
    public static bool GoesOn(long startedAt, long now) => now - startedAt < LongestTicks;

    /// <summary>Looking has found something.</summary>
    public void Paid() => _penalty = 1;

    /// <summary>Looking was in vain.</summary>
    public void Failed()
    {
        _waitsWithout = _penalty;
        _penalty = Math.Min(2 * _penalty, MostWaitsWithout);
    }
}
