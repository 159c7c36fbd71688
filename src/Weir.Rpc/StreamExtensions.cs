using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;

namespace Weir.Rpc;

/// <summary>What streams of messages lack in C#: an iterator cannot yield from a block that catches.</summary>
public static class StreamExtensions
{
    /// <summary>The same messages, and another end if <paramref name="end"/> says so. It is told once how the stream has ended: null for the normal end,
    /// else the exception, an <see cref="RpcException"/> for a status. What it returns is how the result ends: null for the normal end, else this exception is
    /// thrown. It is not called when the enumeration is left before its end.</summary>
    /// <param name="messages">The messages.</param>
    /// <param name="end">Told how they ended, says how the result does.</param>
    /// <param name="cancellationToken">Handed to the enumeration of <paramref name="messages"/>.</param>
    public static async IAsyncEnumerable<T> OnEnd<T>(this IAsyncEnumerable<T> messages, Func<Exception?, Exception?> end, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(messages);
        ArgumentNullException.ThrowIfNull(end);
        var enumerator = messages.GetAsyncEnumerator(cancellationToken);
        await using var disposal = enumerator.ConfigureAwait(false);
        while (true)
        {
            Exception? failure = null;
            var moved = false;
            try
            {
                moved = await enumerator.MoveNextAsync().ConfigureAwait(false);
            }
            catch (Exception error) // whatever it is, the function is told
            {
                failure = error;
            }

            if (moved)
            {
                yield return enumerator.Current;
                continue;
            }

            switch (end(failure))
            {
                case null:
                    yield break;
                case { } same when same == failure:
                    ExceptionDispatchInfo.Throw(same);
                    break;
                case { } other:
                    throw other;
            }
        }
    }
}
