using Microsoft.Extensions.Time.Testing;

namespace Weir.Http2.Tests.Engine;

public sealed class OctetPoolTests
{
    const int Large = 1 << 20;
    static readonly TimeSpan Period = TimeSpan.FromSeconds(5);

    [Fact]
    public void An_array_is_as_large_as_asked_for_and_a_quarter_more_at_most()
    {
        OctetPool pool = Create(out _);
        foreach (int bytes in new[] { 64 * 1024 + 1, 80 * 1024, 80 * 1024 + 1, 128 * 1024, (1 << 18) - 1, 1 << 18, (1 << 18) + 1, 4 * Large, 4 * Large + 5, 7 * Large })
        {
            byte[] array = pool.Rent(bytes);
            Assert.InRange(array.Length, bytes, bytes + (bytes / 4));
            pool.Return(array);
            Assert.Same(array, pool.Rent(bytes));
        }
    }

    [Fact]
    public void Arrays_of_different_sizes_are_not_mistaken_for_one_another()
    {
        OctetPool pool = Create(out _, mostKeptBytes: long.MaxValue);
        var sizes = new HashSet<int>();
        for (int bytes = 64 * 1024 + 1; bytes < 64 << 20; bytes += bytes / 8)
        {
            byte[] array = pool.Rent(bytes);
            pool.Return(array);
            sizes.Add(array.Length);
        }

        Assert.Equal(sizes.Sum(size => (long)size), pool.KeptBytes);
        Assert.All(sizes, size => Assert.Equal(size, pool.Rent(size).Length));
        Assert.Equal(0, pool.KeptBytes);
    }

    [Fact]
    public void Small_arrays_are_the_shared_pools()
    {
        OctetPool pool = Create(out _);
        byte[] array = pool.Rent(64 * 1024);
        Assert.Equal(64 * 1024, array.Length);
        pool.Return(array);
        Assert.Equal(0, pool.KeptBytes);
        Assert.Empty(pool.Rent(0));
        Assert.Throws<ArgumentOutOfRangeException>(() => pool.Rent(-1));
    }

    [Fact]
    public void What_is_kept_stays_within_its_bound_whatever_comes_back()
    {
        OctetPool pool = Create(out _, mostKeptBytes: 5 * Large);
        foreach (byte[] array in Rent(pool, 100))
        {
            pool.Return(array);
            Assert.InRange(pool.KeptBytes, Large, 5 * Large);
        }

        pool.Return(pool.Rent(16 * Large)); // larger than the bound
        Assert.Equal(5 * Large, pool.KeptBytes);
    }

    [Fact]
    public void After_a_burst_the_arrays_that_nobody_needed_for_a_whole_period_are_dropped_and_the_others_stay()
    {
        OctetPool pool = Create(out FakeTimeProvider time);
        foreach (byte[] array in Rent(pool, 10))
            pool.Return(array);
        time.Advance(Period);
        Assert.Equal(10 * Large, pool.KeptBytes); // the burst was in this period
        for (int i = 0; i < 5; i++)
        {
            foreach (byte[] array in Rent(pool, 3))
                pool.Return(array);
            time.Advance(Period);
            Assert.Equal(3 * Large, pool.KeptBytes);
        }

        time.Advance(Period);
        Assert.Equal(0, pool.KeptBytes);
    }

    [Fact]
    public void An_idle_pool_is_empty_after_two_periods_and_works_on()
    {
        OctetPool pool = Create(out FakeTimeProvider time);
        for (int i = 0; i < 2; i++)
        {
            pool.Return(pool.Rent(Large));
            time.Advance(2 * Period);
            Assert.Equal(0, pool.KeptBytes);
        }
    }

    [Fact]
    public void Release_keeps_none()
    {
        OctetPool pool = Create(out _);
        foreach (byte[] array in Rent(pool, 4))
            pool.Return(array);
        pool.Release();
        Assert.Equal(0, pool.KeptBytes);
        pool.Return(pool.Rent(Large));
        Assert.Equal(Large, pool.KeptBytes);
    }

    [Fact]
    public void An_array_from_elsewhere_is_refused()
    {
        OctetPool pool = Create(out _);
        Assert.Throws<ArgumentException>(() => pool.Return(new byte[Large + 1]));
        Assert.Throws<ArgumentNullException>(() => pool.Return(null!));
    }

    static OctetPool Create(out FakeTimeProvider time, long mostKeptBytes = 64 * Large) => new(mostKeptBytes, time = new FakeTimeProvider());

    static byte[][] Rent(OctetPool pool, int count) => [.. Enumerable.Range(0, count).Select(_ => pool.Rent(Large))];
}
