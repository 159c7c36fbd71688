using FsCheck;
using FsCheck.Fluent;

namespace Weir.Streams.Tests;

public sealed class FeedPropertyTests
{
    /// <summary>Readers and publishers in any order: every item's sequence is the reader's last one, plus what was dropped, plus one.</summary>
    [Fact]
    public void A_reader_sees_a_gap_free_run_or_a_declared_gap() =>
        Prop.ForAll(Gen.Choose(-3, 12).ArrayOf().ToArbitrary(), Gen.Choose(1, 9).ToArbitrary(), (steps, capacity) =>
            Holds(steps, capacity, FeedPolicy.DropOldest<int>()) && Holds(steps, capacity, FeedPolicy.Conflate<int, int>(i => i % 3)))
            .QuickCheckThrowOnFailure();

    /// <summary>Whatever a conflating reader skips, it ends up with the latest item of each key.</summary>
    [Fact]
    public void A_conflating_reader_ends_with_the_latest_of_each_key() =>
        Prop.ForAll(Gen.Choose(-3, 12).ArrayOf().ToArbitrary(), Gen.Choose(1, 9).ToArbitrary(), (steps, capacity) =>
        {
            var feed = new Feed<int>(capacity, FeedPolicy.Conflate<int, int>(i => i % 3));
            var seen = new Dictionary<int, int>();
            var cursor = new FeedCursor<int>(feed, 0);
            foreach (var step in steps)
            {
                for (var i = 0; i < step; i++) feed.Publish((int)feed.LastSequence + 1);
                for (var i = 0; i > step && cursor.TryRead(out var item); i--) seen[item.Value % 3] = item.Value;
            }

            while (cursor.TryRead(out var item)) seen[item.Value % 3] = item.Value;
            var last = (int)feed.LastSequence;
            return Enumerable.Range(Math.Max(1, last - 2), Math.Min(3, last)).All(i => seen[i % 3] == i);
        }).QuickCheckThrowOnFailure();

    [Fact]
    public async Task Readers_on_other_threads_see_a_gap_free_run_or_a_declared_gap()
    {
        var stop = TestContext.Current.CancellationToken;
        var feed = new Feed<long>(16, FeedPolicy.DropOldest<long>());
        var readers = Enumerable.Range(0, 4).Select(_ => Task.Run(async () =>
        {
            var last = 0L;
            await foreach (var item in feed.Subscribe(after: 0, cancellationToken: stop))
            {
                Assert.Equal(last + item.Dropped + 1, item.Sequence);
                last = item.Sequence;
            }

            return last;
        })).ToArray();
        var publishers = Enumerable.Range(0, 2).Select(_ => Task.Run(() =>
        {
            for (var i = 0; i < 50_000; i++) feed.Publish(i);
        })).ToArray();
        await Task.WhenAll(publishers);
        feed.Complete();
        Assert.All(await Task.WhenAll(readers).WaitAsync(FeedTests.Bound, stop), last => Assert.Equal(100_000, last));
    }

    // A positive step publishes so many, a negative one reads at most so many.
    static bool Holds(int[] steps, int capacity, FeedPolicy<int> policy)
    {
        var feed = new Feed<int>(capacity, policy);
        var cursor = new FeedCursor<int>(feed, 0);
        var last = 0L;
        var holds = true;
        foreach (var step in steps.Append(-1000))
        {
            for (var i = 0; i < step; i++) feed.Publish((int)feed.LastSequence + 1);
            for (var i = 0; i > step && cursor.TryRead(out var item); i--)
            {
                holds &= item.Sequence == last + item.Dropped + 1 && item.Value == item.Sequence && item.Dropped >= 0;
                last = item.Sequence;
            }
        }

        return holds && last == feed.LastSequence;
    }
}
