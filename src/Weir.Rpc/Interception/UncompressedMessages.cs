using System.Runtime.CompilerServices;

namespace Weir.Rpc.Interception;

/// <summary>
/// Which messages of one direction are to be sent as they are, on their way through interceptors. Those see plain messages, and may change, keep, drop and
/// add some. A message is to be sent as it is when its sender said so of that object, or of any that it may have been made of: those that the interceptors
/// have taken and not given, in their order, or when there is none of them the one that they took last. In doubt nothing is compressed, because that is what
/// keeps a secret (CRIME). Safe for use by any number of threads.
/// </summary>
/// <remarks>
/// Messages are told apart by counting: the next that is given stands for the oldest that was taken. What counting cannot know is which ones belong together
/// behind interceptors that make several of one and also hold them back: there the last of several goes as the message after it.
/// </remarks>
internal sealed class UncompressedMessages
{
    private readonly Lock _lock = new();
    private ConditionalWeakTable<object, Marks>? _marked; // objects that were to be sent as they are; weak, because interceptors may drop them
    private long _taken;
    private long _given;                 // of those taken, so many were given: never more
    private long _lastUncompressed = -1; // the number of the last one taken, from 1, that is to be sent as it is
    private long _lastUnsaid;            // and of the last one of which nothing is said; before the first, that is so of what the interceptors add

    /// <summary>The interceptors take a message; null when its sender says nothing of it.</summary>
    public void OnTaken(object message, bool? uncompressed)
    {
        lock (_lock)
        {
            _taken++;
            if (uncompressed == true)
            {
                _lastUncompressed = _taken;
                (_marked ??= []).GetOrCreateValue(message).Uncompressed++;
            }
            else
            {
                _lastUnsaid = uncompressed is null ? _taken : _lastUnsaid;
                if (_marked is not null && _marked.TryGetValue(message, out var marks))
                {
                    marks.Other++;
                }
            }
        }
    }

    /// <summary>The interceptors give a message: whether it is to be sent as it is, or <paramref name="otherwise"/> when nothing was said.</summary>
    public bool OnGiven(object message, bool otherwise)
    {
        lock (_lock)
        {
            var before = Math.Min(_given, _taken - 1); // it may be made of any that was taken after these
            _given = Math.Min(_given + 1, _taken);
            if (_marked is not null && _marked.TryGetValue(message, out var marks))
            {
                if (marks.Uncompressed > 0 || marks.Other == 0) // or given more often than taken: sent once more
                {
                    marks.Uncompressed = Math.Max(0, marks.Uncompressed - 1);
                    return true;
                }

                marks.Other--;
            }

            return _lastUncompressed > before || (otherwise && _lastUnsaid > before);
        }
    }

    /// <summary>How often an object was taken and not given yet: to be sent as it is, and not.</summary>
    private sealed class Marks
    {
        public int Uncompressed { get; set; }

        public int Other { get; set; }
    }
}
