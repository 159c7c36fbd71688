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
