namespace Weir.Http2.Turns;

/// <summary>One background thread for the process that looks at all turns every <see cref="Pace"/> while there are any, so that nothing waits
/// behind an item that blocks or computes: it is the pool's after two to three looks. Sleeps while no connection does anything.</summary>
internal static class TurnWatch
{
    private const int LooksBeforeSleep = 50;

    private static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(2);
    private static readonly Lock Guard = new();
    private static readonly List<Turn> Turns = [];
    private static readonly AutoResetEvent Woken = new(false);
    private static bool _started;
    private static bool _sleeps;

    /// <summary>Looks at a thread's turns from now on, until the thread ends.</summary>
    public static void Add(Turn turn)
    {
        lock (Guard)
        {
            Turns.Add(turn);
            if (!_started)
            {
                _started = true;
                new Thread(Run) { IsBackground = true, Name = "Weir turn watch" }.UnsafeStart();
            }
        }
    }

    /// <summary>Called by a thread whose turn has just begun.</summary>
    public static void TurnBegins()
    {
        Interlocked.MemoryBarrier(); // the phase is written before the mark is read; the watch does it the other way round
        if (Volatile.Read(ref _sleeps))
        {
            Woken.Set();
        }
    }

    private static void Run()
    {
        var quiet = 0;
        while (true)
        {
            Thread.Sleep(Pace);
            if (LookAtAll())
            {
                quiet = 0;
            }
            else if (++quiet >= LooksBeforeSleep)
            {
                Volatile.Write(ref _sleeps, true);
                Interlocked.MemoryBarrier();
                if (!LookAtAll())
                {
                    Woken.WaitOne();
                }

                Volatile.Write(ref _sleeps, false);
                quiet = 0;
            }
        }
    }

    private static bool LookAtAll()
    {
        lock (Guard)
        {
            var active = false;
            for (var i = Turns.Count - 1; i >= 0; i--)
            {
                if (Turns[i].Thread.IsAlive)
                {
                    active |= Turns[i].Look();
                }
                else
                {
                    Turns.RemoveAt(i);
                }
            }

            return active;
        }
    }
}
