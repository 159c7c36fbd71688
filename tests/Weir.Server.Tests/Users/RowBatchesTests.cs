using System.Threading.Channels;
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
        Assert.True(await next.WaitAsync(TimeSpan.FromSeconds(30), Stop));
        Assert.Equal([3, 4], batches.Current);
        Assert.Equal([1, 2], first);
    }

    [Fact]
    public async Task What_is_left_at_the_end_is_a_batch_of_its_own()
    {
        var sizes = await Enumerable.Range(1, 25).ToAsyncEnumerable().BatchAsync(10, Long, TimeProvider.System, Stop).Select(batch => batch.Count).ToListAsync(Stop);
        Assert.Equal([10, 10, 5], sizes);
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;
}
