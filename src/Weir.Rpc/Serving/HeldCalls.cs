namespace Weir.Rpc.Serving;

/// <summary>The calls of a connection whose handlers do not run yet, because too many others do: first come, first served. Each has an open stream, so that
/// there are never more than streams may be open; one that ends leaves, and one that is held for too long is refused. Does no I/O; safe for use by any
/// number of threads.</summary>
internal sealed class HeldCalls(TimeProvider time)
{
    // Much longer than handlers that heed their token need to end, on a busy machine too; and short for a client whose call would wait for those that do not.
    private static readonly TimeSpan LongestHold = TimeSpan.FromSeconds(1);

    private readonly Lock _lock = new();
    private readonly LinkedList<Place> _places = []; // under _lock
    private int _count;

    /// <summary>Whether there is none. What was added before is seen, also by those who have not taken a lock.</summary>
    public bool IsEmpty => Volatile.Read(ref _count) == 0;

    /// <summary>Adds a call behind the others.</summary>
    public Place Add(ServerCallState call)
    {
        var place = new Place(this, call);
        lock (_lock)
        {
            place.Node = _places.AddLast(place);
            place.Timer = time.CreateTimer(static place => ((Place)place!).OnHeldTooLong(), place, LongestHold, Timeout.InfiniteTimeSpan);
            Interlocked.Increment(ref _count);
        }

        return place;
    }

    /// <summary>Takes the first out; null when there is none.</summary>
    public ServerCallState? TakeFirst()
    {
        lock (_lock)
        {
            return _places.First is { Value: var place } && place.TryLeave() ? place.Call : null; // the lock may be taken twice
        }
    }

    /// <summary>A call's place among those that are held.</summary>
    public sealed class Place(HeldCalls calls, ServerCallState call)
    {
        /// <summary>The call.</summary>
        public ServerCallState Call => call;

        /// <summary>Null once the call has left. Under the calls' lock, as is the timer.</summary>
        internal LinkedListNode<Place>? Node { get; set; }

        internal ITimer? Timer { get; set; }

        /// <summary>Takes the call out. False when it is not there any more.</summary>
        public bool TryLeave()
        {
            lock (calls._lock)
            {
                if (Node is null)
                {
                    return false;
                }

                calls._places.Remove(Node);
                Node = null;
                Timer!.Dispose();
                Interlocked.Decrement(ref calls._count);
                return true;
            }
        }

        internal void OnHeldTooLong()
        {
            if (TryLeave())
            {
                call.Refuse();
            }
        }
    }
}
