using Microsoft.Extensions.Time.Testing;
using Weir.Rpc;

namespace Weir.Client.Tests;

public sealed class ReconnectTests
{
    private static readonly RpcException Broken = new(StatusCode.Unavailable, "gone");

    private readonly FakeTimeProvider _time = new();
    private readonly List<ReconnectNotice> _notices = [];

    [Fact]
    public async Task Waits_double_up_to_the_longest_and_stay_within_half_and_all_of_it()
    {
        var reconnect = New(new ReconnectOptions { TimeProvider = _time, OnRetry = _notices.Add });
        for (var i = 0; i < 9; i++)
            await FailAsync(reconnect);

        double[] longest = [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5, 5, 5];
        Assert.All(_notices.Zip(longest), pair => Assert.InRange(pair.First.Delay.TotalSeconds, pair.Second / 2, pair.Second));
        Assert.Equal(Enumerable.Range(1, 9), _notices.Select(n => n.Attempt));
        Assert.All(_notices, n => Assert.Same(Broken, n.Cause));
    }

    [Fact]
    public async Task Progress_starts_the_waits_over()
    {
        var reconnect = New(new ReconnectOptions { TimeProvider = _time, OnRetry = _notices.Add });
        for (var i = 0; i < 5; i++)
            await FailAsync(reconnect);
        reconnect.Progress();
        await FailAsync(reconnect);

        Assert.Equal(1, _notices[^1].Attempt);
        Assert.InRange(_notices[^1].Delay.TotalSeconds, 0.05, 0.1);
    }

    [Fact]
    public async Task Five_minutes_without_progress_throw_the_last_error()
    {
        var reconnect = New(new ReconnectOptions { TimeProvider = _time });
        await FailAsync(reconnect);
        _time.Advance(TimeSpan.FromMinutes(4));
        await FailAsync(reconnect);
        _time.Advance(TimeSpan.FromMinutes(1));

        var thrown = await Assert.ThrowsAsync<RpcException>(() => reconnect.WaitAsync(Broken, CancellationToken.None));
        Assert.Same(Broken, thrown);
    }

    [Fact]
    public async Task A_long_attempt_that_moved_something_is_no_time_without_progress()
    {
        var reconnect = New(new ReconnectOptions { TimeProvider = _time });
        await FailAsync(reconnect);
        reconnect.Progress();
        _time.Advance(TimeSpan.FromHours(1));
        await FailAsync(reconnect);
    }

    [Fact]
    public async Task A_quiet_stream_that_held_counts_as_progress()
    {
        var reconnect = New(new ReconnectOptions { TimeProvider = _time });
        await FailAsync(reconnect);
        var began = reconnect.Now();
        _time.Advance(TimeSpan.FromHours(1));
        reconnect.Held(began);
        await FailAsync(reconnect);
    }

    [Theory]
    [InlineData(StatusCode.NotFound)]
    [InlineData(StatusCode.InvalidArgument)]
    [InlineData(StatusCode.Aborted)]
    [InlineData(StatusCode.DataLoss)]
    [InlineData(StatusCode.DeadlineExceeded)]
    [InlineData(StatusCode.Unauthenticated)]
    public async Task An_error_that_another_attempt_cannot_mend_is_thrown_at_once(StatusCode code)
    {
        var reconnect = New(new ReconnectOptions { TimeProvider = _time });
        var error = new RpcException(code, "no");
        Assert.Same(error, await Assert.ThrowsAsync<RpcException>(() => reconnect.WaitAsync(error, CancellationToken.None)));
    }

    [Fact]
    public async Task Without_a_first_contact_a_caller_may_want_no_retry()
    {
        var options = new ReconnectOptions { TimeProvider = _time, RetryFirstContact = false };
        await Assert.ThrowsAsync<RpcException>(() => New(options).WaitAsync(Broken, CancellationToken.None));

        var met = New(options);
        met.Contact();
        await FailAsync(met);
    }

    [Fact]
    public async Task Cancellation_ends_the_wait()
    {
        using var stop = new CancellationTokenSource();
        var waiting = New(new ReconnectOptions { TimeProvider = _time }).WaitAsync(Broken, stop.Token);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
    }

    [Fact]
    public async Task Run_goes_on_until_an_attempt_returns()
    {
        var attempts = 0;
        var running = New(new ReconnectOptions { TimeProvider = _time, FirstDelay = TimeSpan.FromTicks(1), MaxDelay = TimeSpan.FromTicks(1) })
            .RunAsync(_ => ++attempts < 3 ? throw Broken : Task.FromResult(attempts), CancellationToken.None);
        while (!running.IsCompleted)
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            await Task.Yield();
        }

        Assert.Equal(3, await running);
    }

    [Fact]
    public void Spans_that_are_not_positive_are_refused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => new ReconnectOptions { FirstDelay = TimeSpan.Zero });
        Assert.Throws<ArgumentOutOfRangeException>(() => new ReconnectOptions { MaxDelay = TimeSpan.FromSeconds(-1) });
        Assert.Throws<ArgumentOutOfRangeException>(() => new ReconnectOptions { GiveUpAfter = TimeSpan.Zero });
    }

    private static Reconnect New(ReconnectOptions options) => new(options, new Random(1));

    private async Task FailAsync(Reconnect reconnect)
    {
        var waiting = reconnect.WaitAsync(Broken, CancellationToken.None);
        _time.Advance(TimeSpan.FromSeconds(5));
        await waiting;
    }
}
