using System.Diagnostics;
using System.Runtime.InteropServices;
using Weir.Http2.Turns;

namespace Weir.Http2.Transport.Polling;

/// <summary>A thread that waits for sockets (epoll, told of changes only) and handles what they bring, in turns. There is one for each processor; a
/// socket stays with its poller. When application code keeps the thread for long, another takes its place; when that happens to many at once, the
/// poller leaves the handling to the thread pool until some are back.</summary>
internal sealed class Poller
{
    private const int MostEvents = 256;
    private const int MostStuckThreads = 8;

    private static readonly Poller[] All = [.. Enumerable.Range(0, Environment.ProcessorCount).Select(_ => new Poller())];
    private static int _next;

    private readonly Lock _lock = new();
    private readonly Action _replace;
    private readonly Stack<int> _free = new();
    private PolledStreamSocket?[] _sockets = new PolledStreamSocket?[16]; // replaced when it grows; written under the lock
    private int _used; // of _sockets, free ones included
    private int _epoll = -1;
    private int _generation; // which thread polls; under the lock, read anywhere
    private int _stuck;      // threads that were replaced and are not back

    private Poller() => _replace = Replace;

    /// <summary>The poller for a new socket.</summary>
    public static Poller Next() => All[(uint)Interlocked.Increment(ref _next) % (uint)All.Length];

    /// <summary>Tells a socket of its changes from now on, first of all how it stands. Returns what <see cref="Remove"/> takes.</summary>
    public int Add(SafeHandle handle, PolledStreamSocket socket)
    {
        int id;
        lock (_lock)
        {
            if (_epoll < 0)
            {
                _epoll = Kernel.EpollCreate(Kernel.CloseOnExec);
                if (_epoll < 0)
                {
                    throw Kernel.LastError();
                }

                StartThread();
            }

            if (!_free.TryPop(out id))
            {
                id = _used++;
                if (id == _sockets.Length)
                {
                    Array.Resize(ref _sockets, 2 * id);
                }
            }

            _sockets[id] = socket;
        }

        Span<byte> change = stackalloc byte[Kernel.EventBytes];
        Kernel.WriteEvent(change, Kernel.Readable | Kernel.Writable | Kernel.PeerEnded | Kernel.OnChange, id);
        if (Kernel.EpollControl(_epoll, Kernel.Add, handle, change) < 0)
        {
            var error = Kernel.LastError();
            Free(id);
            throw error;
        }

        return id;
    }

    /// <summary>Forgets a socket that is about to be closed.</summary>
    public void Remove(int id, SafeHandle handle)
    {
        if (!handle.IsClosed)
        {
            Span<byte> unused = stackalloc byte[Kernel.EventBytes];
            _ = Kernel.EpollControl(_epoll, Kernel.Remove, handle, unused); // closing it does the same
        }

        Free(id);
    }

    private void Free(int id)
    {
        lock (_lock)
        {
            _sockets[id] = null; // an event that is under way finds nobody, or signals the next owner for nothing
            _free.Push(id);
        }
    }

    private void StartThread()
    {
        var generation = _generation;
        new Thread(() => Run(generation)) { IsBackground = true, Name = "Weir poller" }.UnsafeStart();
    }

    private void Run(int generation)
    {
        Span<byte> events = stackalloc byte[MostEvents * Kernel.EventBytes]; // 3 KiB; a busy machine replaces threads often, which is to cost little
        var ready = default(TurnChain);
        var patience = new Patience();
        while (Volatile.Read(ref _generation) == generation)
        {
            // What a turn has left over is gone on with after a look at the other sockets.
            Poll(events, mayWait: ready.IsEmpty, ref patience, ref ready);
            if (Volatile.Read(ref _stuck) >= MostStuckThreads)
            {
                ready.QueueEach();
            }
            else
            {
                Turn.Run(ref ready, overdue: _replace);
            }
        }

        ready.QueueEach();
        Interlocked.Decrement(ref _stuck);
    }

    private void Poll(Span<byte> events, bool mayWait, ref Patience patience, ref TurnChain ready)
    {
        var count = mayWait && Patience.IsAllowed && patience.Begin() ? Look(events, ref patience) : 0;
        if (count == 0)
        {
            count = Kernel.EpollWait(_epoll, events, MostEvents, mayWait ? -1 : 0);
        }

        if (count < 0 && Marshal.GetLastPInvokeError() != Kernel.Interrupted)
        {
            throw Kernel.LastError();
        }

        var sockets = Volatile.Read(ref _sockets);
        for (var i = 0; i < count; i++)
        {
            var (flags, id) = Kernel.ReadEvent(events[(i * Kernel.EventBytes)..]);
            Volatile.Read(ref sockets[id])?.OnChange(flags, ref ready);
        }
    }

    // Looks without sleeping. 0 when nothing came.
    private int Look(Span<byte> events, ref Patience patience)
    {
        var startedAt = Stopwatch.GetTimestamp();
        do
        {
            var count = Kernel.EpollWait(_epoll, events, MostEvents, timeoutMilliseconds: 0);
            if (count != 0)
            {
                patience.Paid();
                return count;
            }

            Thread.Yield(); // to whom this core is not enough
        }
        while (Patience.GoesOn(startedAt, Stopwatch.GetTimestamp()));

        patience.Failed();
        return 0;
    }

    // The watch has seen that this poller's thread is kept.
    private void Replace()
    {
        lock (_lock)
        {
            Interlocked.Increment(ref _stuck);
            Volatile.Write(ref _generation, _generation + 1);
            StartThread();
        }
    }
}
