using System.Buffers;
using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;
using Weir.Rpc;

namespace Weir.Streams;

/// <summary>A feed read as the responses of a call, from a place on: one by one, or in runs of what the ring has.</summary>
sealed class FeedResponses<T>(Feed<T> feed, long after, Func<T, bool>? filter, CancellationToken draining, CancellationToken callEnded) : ISharedMessages<T>
{
    // A run is sent in one go: long enough to be worth it, short enough that a subscriber that lags does not keep others from the connection.
    const int MostItems = 64;

    public async IAsyncEnumerator<T> GetAsyncEnumerator(CancellationToken cancellationToken = default)
    {
        await foreach (var run in InRuns(cancellationToken).ConfigureAwait(false))
        {
            for (var i = 0; i < run.Length; i++) yield return run.Span[i].Message;
        }
    }

    public async IAsyncEnumerable<ReadOnlyMemory<SharedMessage<T>>> InRuns([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(callEnded, cancellationToken);
        var cursor = new FeedCursor<T>(feed, after);
        using var onDraining = draining.UnsafeRegister(static state => ((FeedCursor<T>)state!).Wake(), cursor);
        using var onCancel = either.Token.UnsafeRegister(static state => ((FeedCursor<T>)state!).Wake(), cursor);
        var end = long.MaxValue;
        SharedMessage<T>[]? run = null; // rented while there is something to send: most subscribers wait most of the time
        try
        {
            while (true)
            {
                either.Token.ThrowIfCancellationRequested();
                if (end == long.MaxValue && draining.IsCancellationRequested) end = feed.LastSequence;
                if (cursor.Position >= end) break;

                // Asked before reading: what was published before the feed completed is read before the enumeration ends.
                var completed = feed.IsCompleted;
                run ??= ArrayPool<SharedMessage<T>>.Shared.Rent(MostItems);
                var count = ReadRun(cursor, end, run, out var failure);
                if (count > 0) yield return run.AsMemory(0, count);
                failure?.Throw();
                if (count > 0) continue;
                Return(ref run);
                if (completed) break;
                await cursor.WaitAsync(draining, either.Token).ConfigureAwait(false);
            }
        }
        finally
        {
            if (run is not null) Return(ref run);
        }

        ThrowIfDraining();
    }

    static void Return(ref SharedMessage<T>[]? run)
    {
        ArrayPool<SharedMessage<T>>.Shared.Return(run!, clearArray: true);
        run = null;
    }

    // What is read before the policy ends the subscription is still sent.
    int ReadRun(FeedCursor<T> cursor, long end, SharedMessage<T>[] run, out ExceptionDispatchInfo? failure)
    {
        failure = null;
        var count = 0;
        try
        {
            while (count < MostItems && cursor.Position < end && cursor.TryRead(out var item))
            {
                if (filter is null || filter(item.Value)) run[count++] = cursor.Shared ?? new SharedMessage<T>(item.Value);
            }
        }
        catch (Exception error)
        {
            failure = ExceptionDispatchInfo.Capture(error);
        }

        return count;
    }

    // The feed goes on, this server does not.
    void ThrowIfDraining()
    {
        if (draining.IsCancellationRequested)
            throw new RpcException(StatusCode.Unavailable, "the server is stopping");
    }
}
