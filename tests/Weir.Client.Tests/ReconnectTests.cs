using System.IO.Pipelines;
using System.Threading.Channels;
using Microsoft.Extensions.Time.Testing;
using Weir.Rpc;
using Weir.V1;

namespace Weir.Client.Tests;

public sealed class ReconnectTests
{
    private static readonly RpcException Broken = new(StatusCode.Unavailable, "gone");
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(60); // ends a wait for what never comes

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

    [Fact]
    public async Task Each_attempt_ends_the_pause_of_the_channel()
    {
        var (isBack, attempts) = (false, 0);
        var server = new RpcServer();
        var serving = Task.CompletedTask;
        var options = new RpcChannelOptions
        {
            TimeProvider = new FakeTimeProvider(), // it stands still: no pause of the channel ends by itself
            ConnectTransport = _ =>
            {
                attempts++;
                if (!isBack)
                    throw new IOException("no route");
                var (up, down) = (new Pipe(), new Pipe());
                serving = server.ServeAsync(new End(up.Reader, down.Writer), "test", CancellationToken.None);
                return new(new End(down.Reader, up.Writer));
            },
        };
        await using (var channel = RpcChannel.ForAddress("http://away", options))
        {
            var time = new TimeWithWaits();
            var reconnect = new Reconnect(channel.Intercept(new NoInterceptor()), new ReconnectOptions { TimeProvider = time, GiveUpAfter = TimeSpan.MaxValue, OnRetry = _notices.Add }, new Random(1));
            var running = reconnect.RunAsync(
                async stop =>
                {
                    try
                    {
                        return await new FileService.Client(channel).DeleteFile(new(), cancellationToken: stop);
                    }
                    catch (RpcException e) when (e.StatusCode == StatusCode.Unimplemented)
                    {
                        return new DeleteFileResponse(); // the server is there
                    }
                },
                CancellationToken.None);
            for (var outage = TimeSpan.Zero; outage < TimeSpan.FromMinutes(10);)
            {
                var wait = await time.NextWaitAsync();
                outage += wait;
                isBack = outage >= TimeSpan.FromMinutes(10);
                time.Advance(wait);
            }

            await running.WaitAsync(Bound, CancellationToken.None); // without a further wait
            Assert.Equal(_notices.Count + 1, attempts);
            Assert.All(_notices, notice => Assert.Equal(StatusCode.Unavailable, notice.Cause.StatusCode));
        }

        await serving.WaitAsync(Bound, CancellationToken.None);
    }

    private static Reconnect New(ReconnectOptions options) => new(new NoChannel(), options, new Random(1));

    private async Task FailAsync(Reconnect reconnect)
    {
        var waiting = reconnect.WaitAsync(Broken, CancellationToken.None);
        _time.Advance(TimeSpan.FromSeconds(5));
        await waiting;
    }

    private sealed record End(PipeReader Input, PipeWriter Output) : IDuplexPipe;

    private sealed class NoInterceptor : ClientInterceptor
    {
        public override IAsyncEnumerable<TResponse> Invoke<TRequest, TResponse>(
            OutgoingCall call, IAsyncEnumerable<TRequest> requests, Func<IAsyncEnumerable<TRequest>, IAsyncEnumerable<TResponse>> next) => next(requests);
    }

    /// <summary>A clock that tells which waits begin.</summary>
    private sealed class TimeWithWaits : FakeTimeProvider
    {
        private readonly Channel<TimeSpan> _waits = Channel.CreateUnbounded<TimeSpan>();

        public Task<TimeSpan> NextWaitAsync() => _waits.Reader.ReadAsync().AsTask().WaitAsync(Bound);

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            var timer = base.CreateTimer(callback, state, dueTime, period);
            _waits.Writer.TryWrite(dueTime);
            return timer;
        }
    }

    private sealed class NoChannel : CallInvoker
    {
        public override UnaryCall<TResponse> Unary<TRequest, TResponse>(Method<TRequest, TResponse> method, TRequest request, CallOptions options, CancellationToken cancellationToken) =>
            throw new NotSupportedException();

        public override ServerStreamingCall<TResponse> ServerStreaming<TRequest, TResponse>(Method<TRequest, TResponse> method, TRequest request, CallOptions options, CancellationToken cancellationToken) =>
            throw new NotSupportedException();

        public override ClientStreamingCall<TRequest, TResponse> ClientStreaming<TRequest, TResponse>(Method<TRequest, TResponse> method, CallOptions options, CancellationToken cancellationToken) =>
            throw new NotSupportedException();

        public override DuplexStreamingCall<TRequest, TResponse> DuplexStreaming<TRequest, TResponse>(Method<TRequest, TResponse> method, CallOptions options, CancellationToken cancellationToken) =>
            throw new NotSupportedException();
    }
}
