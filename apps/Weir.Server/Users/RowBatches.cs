using System.Runtime.CompilerServices;

namespace Weir.Server.Users;

/// <summary>Groups a stream by count and age.</summary>
internal static class RowBatches
{
    /// <summary>Gives the rows in lists of at most <paramref name="maxRows"/>; a list is given once its first row is <paramref name="maxAge"/> old although
    /// more could follow. A list that is not full says that nothing more is here for now; after a full one it may be empty. Two lists take turns: one is
    /// valid until the next but one is asked for, so that it can be worked on while the next one fills.</summary>
    public static async IAsyncEnumerable<List<T>> BatchAsync<T>(
        this IAsyncEnumerable<T> rows, int maxRows, TimeSpan maxAge, TimeProvider time, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        List<T> batch = [], other = [];
        var since = 0L; // timestamp of the batch's first row, before it of the last full list
        var full = false; // the last list was, and nothing has followed yet
        using var leaving = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        await using var source = rows.GetAsyncEnumerator(leaving.Token);
        var pending = Task.FromResult(false);
        try
        {
            while (true)
            {
                var move = source.MoveNextAsync();
                bool more;
                if (move.IsCompleted)
                {
                    more = await move; // rows that are here fill the batch sooner than it ages
                }
                else
                {
                    pending = move.AsTask();
                    if ((batch.Count > 0 || full) && !await EndsWithinAsync(pending, maxAge - time.GetElapsedTime(since), time))
                    {
                        full = false;
                        yield return batch;
                        (batch, other) = (other, batch);
                        batch.Clear();
                    }

                    more = await pending;
                }

                if (!more)
                    break;
                full = false;
                if (batch.Count == 0)
                    since = time.GetTimestamp();
                batch.Add(source.Current);
                if (batch.Count < maxRows)
                    continue;
                yield return batch;
                (batch, other) = (other, batch);
                batch.Clear();
                (since, full) = (time.GetTimestamp(), true);
            }
        }
        finally
        {
            // Left early, perhaps in the middle of a move: an enumerator must not be disposed before its move has ended.
            await leaving.CancelAsync();
            await ((Task)pending).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        if (batch.Count > 0 || full)
            yield return batch;
    }

    private static async Task<bool> EndsWithinAsync(Task task, TimeSpan left, TimeProvider time)
    {
        if (task.IsCompleted || left <= TimeSpan.Zero)
            return task.IsCompleted;
        using var done = new CancellationTokenSource();
        var first = await Task.WhenAny(task, Task.Delay(left, time, done.Token));
        await done.CancelAsync();
        return first == task;
    }
}
