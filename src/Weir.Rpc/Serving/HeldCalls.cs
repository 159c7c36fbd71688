namespace Weir.Rpc.Serving;

/// <summary>The calls of a connection whose handlers do not run yet, because too many others do: first come, first served. Each has an open stream, so that
/// there are never more than streams may be open; one that ends leaves. Does no I/O; safe for use by any number of threads.</summary>
internal sealed class HeldCalls
{
    private readonly Lock _lock = new();
    private readonly LinkedList<ServerCallState> _calls = []; // under _lock, as is each call's HeldNode
    private int _count;

    /// <summary>Whether there is none. What was added before is seen, also by those who have not taken a lock.</summary>
    public bool IsEmpty => Volatile.Read(ref _count) == 0;

    /// <summary>Adds a call behind the others.</summary>
    public void Add(ServerCallState call)
    {
        lock (_lock)
        {
            call.HeldNode = _calls.AddLast(call);
            Interlocked.Increment(ref _count);
        }
    }

    /// <summary>Takes a call out. False when it is not there, or not any more.</summary>
    public bool Remove(ServerCallState call)
    {
        lock (_lock)
        {
            if (call.HeldNode is not { } node)
            {
                return false;
            }

            _calls.Remove(node);
            call.HeldNode = null;
            Interlocked.Decrement(ref _count);
            return true;
        }
    }

    /// <summary>Takes the first out; null when there is none.</summary>
    public ServerCallState? TakeFirst()
    {
        lock (_lock)
        {
            return _calls.First is { Value: var call } && Remove(call) ? call : null; // the lock may be taken twice
        }
    }
}
