using System.Runtime.CompilerServices;

namespace Weir.Rpc;

/// <summary>Makes responses of messages that many calls send.</summary>
public static class SharedMessages
{
    /// <summary>Responses for a handler to return: <paramref name="messages"/> one by one, those that are there without waiting sent together.</summary>
    /// <param name="messages">The messages. Enumerated as often as the responses are; the enumeration's token fires when they are left early.</param>
    public static ISharedMessages<T> ToResponses<T>(this IAsyncEnumerable<SharedMessage<T>> messages)
    {
        ArgumentNullException.ThrowIfNull(messages);
        return new Gathered<T>(messages);
    }

    private sealed class Gathered<T>(IAsyncEnumerable<SharedMessage<T>> messages) : ISharedMessages<T>
    {
        private const int MostMessages = 64;

        public async IAsyncEnumerator<T> GetAsyncEnumerator(CancellationToken cancellationToken = default)
        {
            await foreach (var message in messages.WithCancellation(cancellationToken).ConfigureAwait(false))
            {
                yield return message.Message;
            }
        }

        public async IAsyncEnumerable<ReadOnlyMemory<SharedMessage<T>>> InRuns([EnumeratorCancellation] CancellationToken cancellationToken)
        {
            using var left = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            var source = messages.GetAsyncEnumerator(left.Token);
            Task<bool>? pending = null;
            var run = new SharedMessage<T>[MostMessages];
            try
            {
                while (true)
                {
                    var count = 0;
                    var goesOn = pending is null
                        ? await source.MoveNextAsync().ConfigureAwait(false)
                        : await pending.ConfigureAwait(false);
                    pending = null;
                    while (goesOn)
                    {
                        run[count++] = source.Current;
                        if (count == MostMessages)
                        {
                            break;
                        }

                        var next = source.MoveNextAsync();
                        if (!next.IsCompletedSuccessfully)
                        {
                            pending = next.AsTask();
                            break;
                        }

                        goesOn = next.GetAwaiter().GetResult();
                    }

                    if (count > 0)
                    {
                        yield return run.AsMemory(0, count);
                        Array.Clear(run, 0, count);
                    }

                    if (!goesOn)
                    {
                        yield break;
                    }
                }
            }
            finally
            {
                if (pending is not null)
                {
                    // Left while the next message was waited for.
                    await left.CancelAsync().ConfigureAwait(false);
                    await ((Task)pending).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                }

                await source.DisposeAsync().ConfigureAwait(false);
            }
        }
    }
}
