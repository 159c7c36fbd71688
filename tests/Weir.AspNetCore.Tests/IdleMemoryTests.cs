using Weir.Server.Hosting;

namespace Weir.Server.Tests.Hosting;

public sealed class IdleMemoryTests
{
    [Theory]
    [InlineData(0, 1_000_000_000, true)] // quiet after a burst
    [InlineData(10_000_000, 1_000_000_000, false)] // the burst goes on
    [InlineData(0, 10_000_000, false)] // nothing much has happened since the last time
    public void Memory_is_given_back_once_after_a_burst(long allocated, long sinceTrim, bool due) =>
        Assert.Equal(due, IdleMemory.IsDue(allocated, sinceTrim));
}
