using System.Runtime.CompilerServices;

namespace Weir.Server.Users;

/// <summary>Groups a stream by count and age.</summary>
internal static class RowBatches
{
    private static readonly Task<bool> True = Task.FromResult(true), False = Task.FromResult(false);

    /// <summary>Gives the rows in lists of at most <paramref name="maxRows"/>; a list is given once its first row is <paramref name="maxAge"/> old although
    /// more could follow. The list is valid until the next one is asked for.</summary>
    public static async IAsyncEnumerable<List<T>> BatchAsync<T>(
        this IAsyncEnumerable<T> rows, int maxRows, TimeSpan maxAge, TimeProvider time, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var batch = new List<T>(maxRows);
        var first = 0L; // timestamp of the batch's first row
        using var leaving = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        await using var source = rows.GetAsyncEnumerator(leaving.Token);
        var next = True;
        try
        {
            while (true)
            {
                var move = source.MoveNextAsync();
                next = move.IsCompletedSuccessfully ? (move.Result ? True : False) : move.AsTask();
                if (batch.Count > 0 && !await EndsWithinAsync(next, maxAge - time.GetElapsedTime(first), time))
                {
                    yield return batch;
                    batch.Clear();
                }

                if (!await next)
                    break;
                if (batch.Count == 0)
                    first = time.GetTimestamp();
                batch.Add(source.Current);
                if (batch.Count < maxRows)
                    continue;
                yield return batch;
                batch.Clear();
            }
        }
        finally
        {
            // Left early, perhaps in the middle of a move: an enumerator must not be disposed before its move has ended.
            await leaving.CancelAsync();
            await ((Task)next).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        if (batch.Count > 0)
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
