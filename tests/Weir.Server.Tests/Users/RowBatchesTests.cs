using System.Threading.Channels;
using Microsoft.Extensions.Time.Testing;
using Weir.Server.Users;

namespace Weir.Server.Tests.Users;

public sealed class RowBatchesTests
{
    private static readonly TimeSpan Long = TimeSpan.FromHours(1);

    [Fact]
    public async Task A_batch_stays_as_it_is_while_the_next_one_fills()
    {
        var source = Channel.CreateUnbounded<int>();
        await using var batches = source.Reader.ReadAllAsync(Stop).BatchAsync(2, Long, TimeProvider.System, Stop).GetAsyncEnumerator(Stop);
        for (var row = 1; row <= 3; row++)
            source.Writer.TryWrite(row);
        Assert.True(await batches.MoveNextAsync());
        var first = batches.Current;
        var next = batches.MoveNextAsync().AsTask(); // takes row 3 and waits for row 4
        Assert.False(next.IsCompleted);
        Assert.Equal([1, 2], first);
        source.Writer.TryWrite(4);
        Assert.True(await next.WaitAsync(TimeSpan.FromSeconds(60), Stop));
        Assert.Equal([3, 4], batches.Current);
        Assert.Equal([1, 2], first);
    }

    [Fact]
    public async Task What_is_left_at_the_end_is_a_batch_of_its_own()
    {
        var sizes = await Enumerable.Range(1, 25).ToAsyncEnumerable().BatchAsync(10, Long, TimeProvider.System, Stop).Select(batch => batch.Count).ToListAsync(Stop);
        Assert.Equal([10, 10, 5], sizes);
    }

    [Fact]
    public async Task After_a_full_batch_the_end_is_an_empty_one()
    {
        var sizes = await Enumerable.Range(1, 20).ToAsyncEnumerable().BatchAsync(10, Long, TimeProvider.System, Stop).Select(batch => batch.Count).ToListAsync(Stop);
        Assert.Equal([10, 10, 0], sizes);
    }

    [Fact]
    public async Task A_pause_after_a_full_batch_is_told_once_by_an_empty_one()
    {
        var time = new FakeTimeProvider();
        var source = Channel.CreateUnbounded<int>();
        await using var batches = source.Reader.ReadAllAsync(Stop).BatchAsync(2, TimeSpan.FromMilliseconds(100), time, Stop).GetAsyncEnumerator(Stop);
        source.Writer.TryWrite(1);
        source.Writer.TryWrite(2);
        Assert.True(await batches.MoveNextAsync());
        Assert.Equal([1, 2], batches.Current);
        var pause = batches.MoveNextAsync().AsTask();
        time.Advance(TimeSpan.FromMilliseconds(99));
        Assert.False(pause.IsCompleted);
        time.Advance(TimeSpan.FromMilliseconds(1));
        Assert.True(await pause.WaitAsync(TimeSpan.FromSeconds(60), Stop));
        Assert.Empty(batches.Current);
        var next = batches.MoveNextAsync().AsTask();
        time.Advance(Long);
        Assert.False(next.IsCompleted);
        source.Writer.TryWrite(3);
        source.Writer.Complete();
        Assert.True(await next.WaitAsync(TimeSpan.FromSeconds(60), Stop));
        Assert.Equal([3], batches.Current);
        Assert.False(await batches.MoveNextAsync());
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;
}
