using Weir.Rpc;

namespace Weir.Streams.Tests;

public sealed class FeedTests
{
    internal static readonly TimeSpan Bound = TimeSpan.FromSeconds(60); // ends a wait for what never comes

    [Fact]
    public async Task Sequences_count_up_by_one_and_a_subscriber_reads_from_now()
    {
        var feed = new Feed<string>(8);
        Assert.Equal(1, feed.Publish("before"));
        var items = feed.Subscribe(cancellationToken: Stop);
        Assert.Equal(2, feed.Publish("a"));
        Assert.Equal(3, feed.Publish("b"));
        feed.Complete();
        Assert.Equal([new(2, "a"), new(3, "b")], await items.ToArrayAsync(Stop));
    }

    [Fact]
    public async Task A_subscriber_goes_on_after_a_sequence_that_is_still_kept()
    {
        var feed = new Feed<int>(4, lastSequence: 100);
        for (var i = 1; i <= 4; i++) feed.Publish(i);
        feed.Complete();
        Assert.Equal([new(103, 3), new(104, 4)], await feed.Subscribe(after: 102).ToArrayAsync(Stop));
        Assert.Equal(4, await feed.Subscribe(after: 100).CountAsync(Stop));
    }

    [Fact]
    public void A_sequence_that_was_not_published_yet_is_OutOfRange()
    {
        var feed = new Feed<int>(4);
        var e = Assert.Throws<RpcException>(() => feed.Subscribe(after: 1));
        Assert.Equal(new Status(StatusCode.OutOfRange, "sequence 1 was asked for, the last one is 0"), e.Status);
        Assert.Throws<ArgumentOutOfRangeException>(() => feed.Subscribe(after: -1));
        Assert.Throws<ArgumentOutOfRangeException>(() => new Feed<int>(0));
        Assert.Throws<ArgumentOutOfRangeException>(() => new Feed<int>(1, lastSequence: -1));
    }

    [Fact]
    public async Task A_reader_that_lags_too_much_is_disconnected_and_told_the_lag_and_the_capacity()
    {
        var feed = new Feed<int>(4);
        var items = feed.Subscribe(cancellationToken: Stop);
        for (var i = 1; i <= 5; i++) feed.Publish(i);
        var e = await Assert.ThrowsAsync<RpcException>(async () => await items.CountAsync(Stop));
        Assert.Equal(new Status(StatusCode.ResourceExhausted, "the reader is 5 items behind, at most 4 are kept"), e.Status);
    }

    [Fact]
    public async Task DropOldest_goes_on_with_the_oldest_item_kept_and_says_how_many_are_gone()
    {
        var feed = new Feed<int>(4, FeedPolicy.DropOldest<int>());
        var items = feed.Subscribe(cancellationToken: Stop);
        for (var i = 1; i <= 10; i++) feed.Publish(i);
        feed.Complete();
        Assert.Equal([new(7, 7, 6), new(8, 8), new(9, 9), new(10, 10)], await items.ToArrayAsync(Stop));
    }

    [Fact]
    public async Task Items_that_the_filter_refuses_are_no_gap_and_dropped_ones_are_told_with_the_next_that_it_takes()
    {
        var feed = new Feed<int>(4, FeedPolicy.DropOldest<int>());
        var items = feed.Subscribe(filter: i => i % 2 == 0, cancellationToken: Stop);
        for (var i = 1; i <= 10; i++) feed.Publish(i);
        feed.Complete();
        Assert.Equal([new(8, 8, 6), new(10, 10)], await items.ToArrayAsync(Stop));
    }

    [Fact]
    public async Task Conflate_goes_on_with_the_latest_item_of_each_key()
    {
        var feed = new Feed<(string Key, int Value)>(2, FeedPolicy.Conflate<(string Key, int Value), string>(item => item.Key));
        var items = feed.Subscribe(cancellationToken: Stop);
        foreach (var value in Enumerable.Range(1, 9)) feed.Publish((value % 3 == 0 ? "c" : value % 2 == 0 ? "b" : "a", value));
        feed.Complete();
        // 1 a, 2 b, 3 c, 4 b, 5 a, 6 c, 7 a, 8 b, 9 c
        Assert.Equal([new(7, ("a", 7), 6), new(8, ("b", 8)), new(9, ("c", 9))], await items.ToArrayAsync(Stop));
    }

    [Fact]
    public async Task One_key_more_than_a_conflating_feed_keeps_is_refused_and_the_feed_goes_on()
    {
        var feed = new Feed<string>(2, FeedPolicy.Conflate<string, string>(item => item, maxKeys: 2));
        var items = feed.Subscribe(cancellationToken: Stop);
        feed.Publish("a");
        feed.Publish("b");
        var e = Assert.Throws<RpcException>(() => feed.Publish("c"));
        Assert.Equal(new Status(StatusCode.ResourceExhausted, "the feed keeps the latest item of at most 2 keys; 'c' would be number 3"), e.Status);
        Assert.Equal(3, feed.Publish("a"));
        feed.Complete();
        Assert.Equal([new(2, "b", 1), new(3, "a")], await items.ToArrayAsync(Stop));
    }

    [Fact]
    public async Task A_completed_feed_ends_waiting_readers_normally_and_takes_nothing_more()
    {
        var feed = new Feed<int>(4);
        var reading = feed.Subscribe(cancellationToken: Stop).CountAsync(Stop);
        await UntilWaiting(feed, 1);
        feed.Publish(1);
        feed.Complete();
        Assert.Equal(1, await reading.AsTask().WaitAsync(Bound, Stop));
        Assert.Equal("The feed was completed after item 1.", Assert.Throws<InvalidOperationException>(() => feed.Publish(2)).Message);
        Assert.Equal(0, await feed.Subscribe(cancellationToken: Stop).CountAsync(Stop));
    }

    [Fact]
    public async Task A_cancelled_reader_leaves_nothing_behind_and_the_others_go_on()
    {
        var feed = new Feed<int>(4);
        using var leave = new CancellationTokenSource();
        var leaving = feed.Subscribe(cancellationToken: leave.Token).CountAsync(Stop).AsTask();
        var staying = feed.Subscribe(cancellationToken: Stop).CountAsync(Stop).AsTask();
        await UntilWaiting(feed, 2);
        await leave.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => leaving.WaitAsync(Bound, Stop));
        Assert.Equal(1, feed.Waiting.Count);
        feed.Publish(1);
        feed.Complete();
        Assert.Equal(1, await staying.WaitAsync(Bound, Stop));
        Assert.Equal(0, feed.Waiting.Count);
    }

    [Fact]
    public async Task Stopping_ends_a_reader_normally_after_what_was_published_until_then()
    {
        var feed = new Feed<int>(4);
        using var stopping = new CancellationTokenSource();
        var items = feed.Subscribe(stopping: stopping.Token, cancellationToken: Stop);
        var waiting = feed.Subscribe(stopping: stopping.Token, cancellationToken: Stop).CountAsync(Stop).AsTask();
        await UntilWaiting(feed, 1);
        feed.Publish(1);
        feed.Publish(2);
        await stopping.CancelAsync();
        Assert.Equal(2, await items.CountAsync(Stop));
        Assert.Equal(2, await waiting.WaitAsync(Bound, Stop));
    }

    [Fact]
    public async Task A_thousand_readers_get_everything_while_one_never_reads()
    {
        const int Readers = 1000, Items = 2000;
        var feed = new Feed<int>(Items);
        await using var never = feed.Subscribe(cancellationToken: Stop).GetAsyncEnumerator(Stop);
        feed.Publish(0);
        Assert.True(await never.MoveNextAsync());
        var reading = Enumerable.Range(0, Readers).Select(_ => Task.Run(async () =>
        {
            var sum = 0L;
            await foreach (var item in feed.Subscribe(after: 1, cancellationToken: Stop)) sum += item.Value;
            return sum;
        })).ToArray();
        for (var i = 1; i <= Items; i++) feed.Publish(i);
        feed.Complete();
        Assert.All(await Task.WhenAll(reading).WaitAsync(Bound, Stop), sum => Assert.Equal(Items * (Items + 1L) / 2, sum));
    }

    [Fact]
    public void Publishing_allocates_nothing_however_many_readers_wait()
    {
        var feed = new Feed<string>(1024);
        var readers = Enumerable.Range(0, 100).Select(_ => feed.Subscribe(cancellationToken: Stop).CountAsync(Stop).AsTask()).ToArray();
        for (var i = 0; i < 100; i++) feed.Publish("warm");
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 10_000; i++) feed.Publish("item");
        // The thread pool's queue of work items may grow by a segment; per item there is nothing.
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 10_000);
        feed.Complete();
        Assert.All(readers, reader => Assert.False(reader.IsFaulted && reader.Exception!.InnerException is not RpcException));
    }

    [Fact]
    public void The_ring_keeps_no_more_than_its_capacity()
    {
        var feed = new Feed<object>(4);
        var first = PublishTracked(feed);
        for (var i = 0; i < 4; i++) feed.Publish(new object());
        GC.Collect();
        Assert.False(first.IsAlive);
        GC.KeepAlive(feed);
    }

    internal static async Task UntilWaiting<T>(Feed<T> feed, int count)
    {
        var deadline = DateTime.UtcNow + Bound;
        while (true)
        {
            lock (feed.Gate)
            {
                if (feed.Waiting.Count >= count) return;
            }

            if (DateTime.UtcNow > deadline) throw new TimeoutException($"{count} readers did not come to wait.");
            await Task.Yield();
        }
    }

    [System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.NoInlining)]
    static WeakReference PublishTracked(Feed<object> feed)
    {
        var item = new object();
        feed.Publish(item);
        return new WeakReference(item);
    }

    static CancellationToken Stop => TestContext.Current.CancellationToken;
}
