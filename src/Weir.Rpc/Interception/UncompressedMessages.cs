using System.Runtime.CompilerServices;

namespace Weir.Rpc.Interception;

/// <summary>
/// Which messages of one direction are to be sent as they are, on their way through interceptors. Those see plain messages, and may change, keep, drop and
/// add some; so a message is one to be sent as it is when its sender said so of that object, or of the one that the interceptors took last: what they
/// make of a message goes as the message would have. In doubt nothing is compressed, because that is what keeps a secret (CRIME).
/// Safe for use by any number of threads.
/// </summary>
internal sealed class UncompressedMessages
{
    private ConditionalWeakTable<object, StrongBox<int>>? _marked; // how often an object was taken and not given; weak, because interceptors may drop messages
    private volatile Saying _last;

    private enum Saying
    {
        Nothing,
        Compressed,
        Uncompressed,
    }

    /// <summary>The interceptors take a message; null when its sender says nothing of it.</summary>
    public void OnTaken(object message, bool? uncompressed)
    {
        _last = uncompressed switch { null => Saying.Nothing, false => Saying.Compressed, true => Saying.Uncompressed };
        if (_last == Saying.Uncompressed)
        {
            Interlocked.Increment(ref LazyInitializer.EnsureInitialized(ref _marked, static () => []).GetOrCreateValue(message).Value);
        }
    }

    /// <summary>The interceptors give a message: whether it is to be sent as it is, or <paramref name="otherwise"/> when nothing was said.</summary>
    public bool OnGiven(object message, bool otherwise)
    {
        if (Volatile.Read(ref _marked) is { } marked && marked.TryGetValue(message, out var count))
        {
            if (Interlocked.Decrement(ref count.Value) >= 0)
            {
                return true;
            }

            Interlocked.Increment(ref count.Value);
        }

        return _last == Saying.Nothing ? otherwise : _last == Saying.Uncompressed;
    }
}
