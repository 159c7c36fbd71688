using System.Diagnostics;
using Weir.Http2.Transport.Polling;

namespace Weir.Http2.Tests.Transport;

public sealed class PatienceTests
{
    [Fact]
    public void Looking_in_vain_leaves_twice_as_many_waits_without_each_time_up_to_a_bound()
    {
        var patience = new Patience();
        foreach (int without in new[] { 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, Patience.MostWaitsWithout, Patience.MostWaitsWithout })
        {
            Assert.True(patience.Begin());
            patience.Failed();
            for (int i = 0; i < without; i++)
                Assert.False(patience.Begin());
        }

        Assert.True(patience.Begin());
    }

    [Fact]
    public void Looking_that_pays_goes_on_before_every_wait_and_forgets_what_was_in_vain()
    {
        var patience = new Patience();
        for (int i = 0; i < 3; i++)
        {
            while (!patience.Begin())
            {
            }

            patience.Failed();
        }

        while (!patience.Begin())
        {
        }

        for (int i = 0; i < 100; i++)
        {
            patience.Paid();
            Assert.True(patience.Begin());
        }

        patience.Failed();
        Assert.False(patience.Begin());
        Assert.True(patience.Begin());
    }

    [Fact]
    public void A_look_ends_after_its_time()
    {
        long start = Stopwatch.GetTimestamp();
        long end = start + (long)(Patience.Longest.TotalSeconds * Stopwatch.Frequency);
        Assert.True(Patience.GoesOn(start, start));
        Assert.True(Patience.GoesOn(start, end - 1));
        Assert.False(Patience.GoesOn(start, end));
    }
}
