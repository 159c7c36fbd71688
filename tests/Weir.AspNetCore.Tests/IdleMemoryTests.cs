using System.Threading.Channels;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Time.Testing;
using Weir.Http2;

namespace Weir.AspNetCore.Tests;

[Collection(nameof(IdleMemoryTests))]
public sealed class IdleMemoryTests
{
    [Theory]
    [InlineData(0, 1_000_000_000, 0, true)] // quiet after a burst
    [InlineData(10_000_000, 1_000_000_000, 0, false)] // the burst goes on
    [InlineData(0, 10_000_000, 0, false)] // nothing much has happened since the last time
    [InlineData(0, 1_000_000_000, 2_000_000_000, false)] // a collection would take longer than it is worth
    public void Memory_is_given_back_once_after_a_burst(long allocated, long sinceTrim, long alive, bool due) =>
        Assert.Equal(due, IdleMemory.IsDue(allocated, sinceTrim, alive));

    [Fact]
    public async Task After_a_burst_the_service_collects_what_the_pool_kept_as_well()
    {
        var time = new FakeTimeProvider();
        await using var provider = new ServiceCollection().AddSingleton<TimeProvider>(time).AddRpcIdleMemory().AddRpcIdleMemory().BuildServiceProvider();
        var idle = (IdleMemory)provider.GetServices<IHostedService>().Single();
        var looks = Channel.CreateUnbounded<bool>();
        idle.Looked += trimmed => looks.Writer.TryWrite(trimmed);
        await idle.StartAsync(TestContext.Current.CancellationToken);
        var burst = LeaveInPool(arrays: 12);
        do
        {
            time.Advance(IdleMemory.Period);
        }
        while (!await looks.Reader.ReadAsync(TestContext.Current.CancellationToken)); // the runner may allocate in some periods

        Assert.All(burst, array => Assert.False(array.IsAlive));
        await idle.StopAsync(TestContext.Current.CancellationToken);
    }

    [System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.NoInlining)]
    private static WeakReference[] LeaveInPool(int arrays)
    {
        var rented = Enumerable.Range(0, arrays).Select(_ => OctetPool.Shared.Rent(4 << 20)).ToArray();
        foreach (var array in rented)
            OctetPool.Shared.Return(array);
        return [.. rented.Select(array => new WeakReference(array))];
    }
}

/// <summary>Runs alone: other tests' allocations would count, and a collection would hold them up.</summary>
[CollectionDefinition(nameof(IdleMemoryTests), DisableParallelization = true)]
public sealed class IdleMemoryTestsCollection;
