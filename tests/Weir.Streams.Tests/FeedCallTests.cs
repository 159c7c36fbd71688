using Weir.Rpc;

namespace Weir.Streams.Tests;

public sealed class FeedCallTests
{
    [Fact]
    public async Task A_call_gets_the_values_it_wants_until_the_feed_completes()
    {
        var feed = new Feed<int>(8);
        using var call = new Call();
        var values = feed.Subscribe(call, i => i > 1);
        for (var i = 0; i < 4; i++) feed.Publish(i);
        feed.Complete();
        Assert.Equal(new[] { 2, 3 }, await values.ToArrayAsync(TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task A_draining_call_gets_what_was_published_and_ends_with_Unavailable()
    {
        var feed = new Feed<int>(8);
        using var call = new Call();
        await using var values = feed.Subscribe(call).GetAsyncEnumerator(TestContext.Current.CancellationToken);
        feed.Publish(7);
        call.Drain();
        Assert.True(await values.MoveNextAsync());
        Assert.Equal(7, values.Current);
        var e = await Assert.ThrowsAsync<RpcException>(async () => await values.MoveNextAsync());
        Assert.Equal(new Status(StatusCode.Unavailable, "the server is stopping"), e.Status);
    }

    [Fact]
    public async Task A_cancelled_call_ends_its_subscription()
    {
        var feed = new Feed<int>(8);
        using var call = new Call();
        var reading = feed.Subscribe(call).CountAsync(TestContext.Current.CancellationToken).AsTask();
        await FeedTests.UntilWaiting(feed, 1);
        call.Cancel();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => reading);
        Assert.Equal(0, feed.Waiting.Count);
    }

    [Fact]
    public async Task Calls_get_the_same_shared_messages_in_runs_of_what_is_there()
    {
        var feed = new Feed<string>(256);
        using var call = new Call();
        await using var first = feed.Subscribe(call).InRuns(TestContext.Current.CancellationToken).GetAsyncEnumerator(TestContext.Current.CancellationToken);
        await using var second = feed.Subscribe(call, text => text != "no").InRuns(TestContext.Current.CancellationToken).GetAsyncEnumerator(TestContext.Current.CancellationToken);
        for (var i = 0; i < 100; i++) feed.Publish(i == 1 ? "no" : $"{i}");
        Assert.True(await first.MoveNextAsync());
        var run = first.Current.ToArray();
        Assert.Equal(Enumerable.Range(0, 64).Select(i => i == 1 ? "no" : $"{i}"), run.Select(message => message.Message));
        Assert.True(await second.MoveNextAsync());
        Assert.Equal(64, second.Current.Length);
        Assert.Same(run[0], second.Current.Span[0]);
        Assert.Same(run[2], second.Current.Span[1]);
        Assert.True(await first.MoveNextAsync());
        Assert.Equal(36, first.Current.Length);

        var waiting = first.MoveNextAsync();
        await FeedTests.UntilWaiting(feed, 1);
        feed.Publish("next");
        Assert.True(await waiting);
        Assert.Equal("next", Assert.Single(first.Current.ToArray()).Message);
        feed.Complete();
        Assert.False(await first.MoveNextAsync());
    }

    [Fact]
    public async Task Null_is_refused_once_calls_have_subscribed_and_the_ring_stays_whole()
    {
        var feed = new Feed<string>(1);
        using var call = new Call();
        var texts = feed.Subscribe(call);
        feed.Publish("kept");
        Assert.Throws<ArgumentNullException>(() => feed.Publish(null!));
        feed.Complete();
        Assert.Equal(["kept"], await texts.ToArrayAsync(TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task A_run_ends_where_the_server_drains_although_the_feed_goes_on()
    {
        var feed = new Feed<int>(8);
        using var call = new Call();
        await using var runs = feed.Subscribe(call).InRuns(TestContext.Current.CancellationToken).GetAsyncEnumerator(TestContext.Current.CancellationToken);
        feed.Publish(1);
        Assert.True(await runs.MoveNextAsync());
        feed.Publish(2);
        call.Drain();
        Assert.True(await runs.MoveNextAsync());
        Assert.Equal([2], runs.Current.ToArray().Select(message => message.Message));
        feed.Publish(3); // behind the drain
        var e = await Assert.ThrowsAsync<RpcException>(async () => await runs.MoveNextAsync());
        Assert.Equal(StatusCode.Unavailable, e.StatusCode);
    }

    [Fact]
    public async Task A_reader_that_lags_gets_what_its_run_has_before_the_policy_ends_it()
    {
        var feed = new Feed<int>(4);
        using var call = new Call();
        await using var runs = feed.Subscribe(call, Overtaking).InRuns(TestContext.Current.CancellationToken).GetAsyncEnumerator(TestContext.Current.CancellationToken);
        feed.Publish(1);
        feed.Publish(2);
        Assert.True(await runs.MoveNextAsync());
        Assert.Equal([1], runs.Current.ToArray().Select(message => message.Message));
        var e = await Assert.ThrowsAsync<RpcException>(async () => await runs.MoveNextAsync());
        Assert.Equal(StatusCode.ResourceExhausted, e.StatusCode);

        // While the first is looked at, the ring goes round.
        bool Overtaking(int item)
        {
            for (var i = 3; item == 1 && i < 9; i++) feed.Publish(i);
            return true;
        }
    }

    [Fact]
    public async Task A_cancelled_call_ends_its_runs()
    {
        var feed = new Feed<int>(8);
        using var call = new Call();
        await using var runs = feed.Subscribe(call).InRuns(TestContext.Current.CancellationToken).GetAsyncEnumerator(TestContext.Current.CancellationToken);
        var reading = runs.MoveNextAsync().AsTask();
        await FeedTests.UntilWaiting(feed, 1);
        call.Cancel();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => reading);
        Assert.Equal(0, feed.Waiting.Count);
    }

    [Fact]
    public async Task Runs_of_a_feed_that_conflates_go_on_with_the_latest_of_each_key()
    {
        var feed = new Feed<int>(4, FeedPolicy.Conflate<int, int>(item => item % 10));
        using var call = new Call();
        await using var runs = feed.Subscribe(call).InRuns(TestContext.Current.CancellationToken).GetAsyncEnumerator(TestContext.Current.CancellationToken);
        for (var i = 0; i < 40; i++) feed.Publish(i);
        feed.Complete();
        Assert.True(await runs.MoveNextAsync());
        Assert.Equal(Enumerable.Range(30, 10), runs.Current.ToArray().Select(message => message.Message));
        Assert.False(await runs.MoveNextAsync());
    }

    sealed class Call : ServerCall, IDisposable
    {
        readonly CancellationTokenSource _cancelled = new();
        readonly CancellationTokenSource _draining = new();

        public override string Method => "/test/Test";

        public override string Peer => "unix";

        public override Metadata RequestHeaders => throw new NotSupportedException();

        public override Metadata ResponseTrailers => throw new NotSupportedException();

        public override DateTimeOffset? Deadline => null;

        public override CancellationToken CancellationToken => _cancelled.Token;

        public override CancellationToken Draining => _draining.Token;

        public void Cancel() => _cancelled.Cancel();

        public void Drain() => _draining.Cancel();

        public override ValueTask SendHeadersAsync(Metadata headers) => throw new NotSupportedException();

        public override void Run(Func<CancellationToken, Task> work) => throw new NotSupportedException();

        public override ResponseSender<TResponse> GetSender<TResponse>() => throw new NotSupportedException();

        public void Dispose()
        {
            _cancelled.Dispose();
            _draining.Dispose();
        }
    }
}
