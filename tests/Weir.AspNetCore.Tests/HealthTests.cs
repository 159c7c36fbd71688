using Grpc.Health.V1;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Time.Testing;
using Weir.Rpc;
using ServingStatus = Grpc.Health.V1.HealthCheckResponse.Types.ServingStatus;

namespace Weir.AspNetCore.Tests;

public sealed class HealthTests
{
    private readonly Probe _disk = new();
    private readonly Probe _queue = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_service_is_not_serving_until_the_first_round_has_ended()
    {
        var hold = _disk.Hold();
        await using var app = await StartAsync();
        Assert.Equal(ServingStatus.NotServing, await CheckAsync(app, ""));
        await using var watch = Watch(app, "").GetAsyncEnumerator(Stop);
        Assert.Equal(ServingStatus.NotServing, await NextAsync(watch));
        hold.SetResult();
        Assert.Equal(ServingStatus.Serving, await NextAsync(watch));
        Assert.Equal(ServingStatus.Serving, await CheckAsync(app, ""));
    }

    [Fact]
    public async Task An_unhealthy_check_stops_the_services_that_it_decides_and_no_others()
    {
        _disk.Status = HealthStatus.Unhealthy;
        await using var app = await StartAsync();
        await SeeAsync(app, "test.Queue", ServingStatus.Serving);
        Assert.Equal(ServingStatus.NotServing, await CheckAsync(app, "test.Disk"));
        Assert.Equal(ServingStatus.NotServing, await CheckAsync(app, ""));
        Assert.Equal(ServingStatus.Serving, await CheckAsync(app, "test.Nothing"));
    }

    [Fact]
    public async Task List_tells_every_known_service()
    {
        _disk.Status = HealthStatus.Unhealthy;
        await using var app = await StartAsync();
        await SeeAsync(app, "test.Queue", ServingStatus.Serving);
        var all = await ClientOf(app).List(new(), cancellationToken: Stop).AsTask().Soon();
        Assert.Equal(
            [("", ServingStatus.NotServing), ("test.Disk", ServingStatus.NotServing), ("test.Nothing", ServingStatus.Serving), ("test.Queue", ServingStatus.Serving)],
            all.Statuses.OrderBy(known => known.Key, StringComparer.Ordinal).Select(known => (known.Key, known.Value.Status)));
    }

    [Fact]
    public async Task A_degraded_service_serves()
    {
        _disk.Status = HealthStatus.Degraded;
        await using var app = await StartAsync();
        await SeeAsync(app, "test.Disk", ServingStatus.Serving);
    }

    [Fact]
    public async Task Check_of_an_unknown_service_is_NotFound()
    {
        await using var app = await StartAsync();
        var error = await Assert.ThrowsAsync<RpcException>(() => CheckAsync(app, "test.Other"));
        Assert.Equal(new Status(StatusCode.NotFound, "the health of service \"test.Other\" is not known here"), error.Status);
    }

    [Fact]
    public async Task Watch_of_an_unknown_service_says_so_and_goes_on_until_the_server_stops()
    {
        await using var app = await StartAsync();
        await using var watch = Watch(app, "test.Other").GetAsyncEnumerator(Stop);
        Assert.Equal(ServingStatus.ServiceUnknown, await NextAsync(watch));
        var next = watch.MoveNextAsync().AsTask();
        _disk.Status = HealthStatus.Unhealthy;
        await SeeAsync(app, "test.Disk", ServingStatus.NotServing); // changes of others are nothing to this watch
        Assert.False(next.IsCompleted);
        await app.StopAsync().Soon();
        Assert.Equal(StatusCode.Unavailable, (await Assert.ThrowsAsync<RpcException>(() => next.Soon())).StatusCode);
    }

    [Fact]
    public async Task Watch_tells_the_status_at_once_and_then_changes_only()
    {
        await using var app = await StartAsync();
        await SeeAsync(app, "test.Disk", ServingStatus.Serving);
        await using var watch = Watch(app, "test.Disk").GetAsyncEnumerator(Stop);
        Assert.Equal(ServingStatus.Serving, await NextAsync(watch));
        _queue.Status = HealthStatus.Unhealthy;
        await SeeAsync(app, "test.Queue", ServingStatus.NotServing);
        _disk.Status = HealthStatus.Unhealthy;
        Assert.Equal(ServingStatus.NotServing, await NextAsync(watch));
        _disk.Status = HealthStatus.Healthy;
        Assert.Equal(ServingStatus.Serving, await NextAsync(watch));
    }

    [Fact]
    public async Task Stopping_tells_watches_NotServing_and_ends_them_without_waiting_for_the_drain_timeout()
    {
        await using var app = await StartAsync(configure: null, weir => weir.DrainTimeout = TimeSpan.FromMinutes(5), host => host.ShutdownTimeout = TimeSpan.FromMinutes(10));
        await SeeAsync(app, "", ServingStatus.Serving);
        await using var watch = Watch(app, "").GetAsyncEnumerator(Stop);
        Assert.Equal(ServingStatus.Serving, await NextAsync(watch));
        var stopping = app.StopAsync();
        Assert.Equal(ServingStatus.NotServing, await NextAsync(watch));
        var error = await Assert.ThrowsAsync<RpcException>(() => watch.MoveNextAsync().AsTask().Soon());
        Assert.Equal(new Status(StatusCode.Unavailable, "the server is stopping"), error.Status);
        await stopping.Soon();
        Assert.DoesNotContain(app.Logs.Warnings, warning => warning.Contains("cancelled", StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_end_of_a_connections_age_ends_its_watches_and_says_nothing_of_the_services()
    {
        var time = new FakeTimeProvider();
        await using var app = await StartAsync(configure: null, weir =>
        {
            weir.Rpc.Http2.TimeProvider = time;
            weir.Rpc.Http2.MaxConnectionAge = TimeSpan.FromSeconds(100);
        });
        await SeeAsync(app, "test.Disk", ServingStatus.Serving);
        await using var watch = Watch(app, "test.Disk").GetAsyncEnumerator(Stop);
        Assert.Equal(ServingStatus.Serving, await NextAsync(watch));
        time.Advance(TimeSpan.FromSeconds(111));
        var error = await Assert.ThrowsAsync<RpcException>(() => watch.MoveNextAsync().AsTask().Soon());
        Assert.Equal(new Status(StatusCode.Unavailable, "the connection is going to end"), error.Status);
        Assert.Equal(ServingStatus.Serving, await CheckAsync(app, "test.Disk")); // on a new connection
    }

    [Fact]
    public async Task Checks_that_take_too_long_stop_all_services_until_they_end_in_time()
    {
        var time = new FakeTimeProvider();
        await using var app = await StartAsync(time: time);
        await SeeAsync(app, "test.Nothing", ServingStatus.Serving);
        var hold = _disk.Hold();
        time.Advance(TimeSpan.FromMilliseconds(5)); // the next round
        await _disk.Held.Task.Soon();
        time.Advance(TimeSpan.FromSeconds(29.9));
        Assert.False(_disk.Cancelled.Task.IsCompleted);
        time.Advance(TimeSpan.FromSeconds(0.1));
        await _disk.Cancelled.Task.Soon();
        await SeeAsync(app, "test.Nothing", ServingStatus.NotServing);
        hold.SetResult();
        await using var watch = Watch(app, "test.Nothing").GetAsyncEnumerator(Stop);
        Assert.Equal(ServingStatus.NotServing, await NextAsync(watch));
        var next = NextAsync(watch);
        while (!next.IsCompleted)
        {
            time.Advance(TimeSpan.FromMilliseconds(5)); // again and again: the pause before the next round may begin only now
            await Task.Yield();
        }

        Assert.Equal(ServingStatus.Serving, await next);
        Assert.Equal("The health checks took more than 00:00:30; no service is reported as serving until they end in time.", Assert.Single(app.Logs.Warnings));
    }

    [Fact]
    public async Task Settings_add_up()
    {
        await using var app = await StartAsync(options => options.Map("test.Queue", check => check.Name == "disk").Map("test.More", _ => true));
        _disk.Status = HealthStatus.Unhealthy;
        await SeeAsync(app, "test.Queue", ServingStatus.NotServing);
        Assert.Equal(ServingStatus.NotServing, await CheckAsync(app, "test.More"));
    }

    [Fact]
    public async Task Mapping_needs_what_it_maps()
    {
        var error = await Assert.ThrowsAsync<InvalidOperationException>(() => RpcApp.StartAsync(_ => { }, app => app.MapRpcHealth()));
        Assert.Equal("MapRpcHealth() needs AddRpcHealth() on the application's services.", error.Message);
    }

    [Fact]
    public void Options_out_of_range_are_refused()
    {
        var options = new RpcHealthOptions();
        Assert.Throws<ArgumentOutOfRangeException>(() => options.Period = TimeSpan.Zero);
        Assert.Throws<ArgumentOutOfRangeException>(() => options.Timeout = TimeSpan.Zero);
        Assert.Throws<ArgumentNullException>(() => options.Map(null!, _ => true));
        Assert.Throws<ArgumentNullException>(() => options.Map("", null!));
        Assert.Equal((TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(30)), (options.Period, options.Timeout));
    }

    private static Grpc.Health.V1.Health.Client ClientOf(RpcApp app) => new(app.Channel);

    private static async Task<ServingStatus> CheckAsync(RpcApp app, string service) =>
        (await ClientOf(app).Check(new() { Service = service }, cancellationToken: Stop).AsTask().Soon()).Status;

    private static ServerStreamingCall<HealthCheckResponse> Watch(RpcApp app, string service) =>
        ClientOf(app).Watch(new() { Service = service }, cancellationToken: Stop);

    private static async Task<ServingStatus> NextAsync(IAsyncEnumerator<HealthCheckResponse> watch)
    {
        Assert.True(await watch.MoveNextAsync().AsTask().Soon());
        return watch.Current.Status;
    }

    /// <summary>Watches until a service has a status.</summary>
    private static async Task SeeAsync(RpcApp app, string service, ServingStatus status)
    {
        await using var watch = Watch(app, service).GetAsyncEnumerator(Stop);
        while (await NextAsync(watch) != status)
        {
        }
    }

    private Task<RpcApp> StartAsync(
        Action<RpcHealthOptions>? configure = null, Action<WeirOptions>? weir = null, Action<HostOptions>? host = null, TimeProvider? time = null) => RpcApp.StartAsync(
        builder =>
        {
            builder.Services.Configure<HostOptions>(options => host?.Invoke(options));
            if (time is not null)
                builder.Services.AddSingleton(time);
            builder.AddWeir(weir);
            builder.Services.AddRpcHealth(options =>
            {
                options.Period = TimeSpan.FromMilliseconds(5);
                options.Map("test.Disk", check => check.Name == "disk").Map("test.Queue", check => check.Tags.Contains("queue")).Map("test.Nothing", _ => false);
            }).AddCheck("disk", _disk).AddCheck("messages", _queue, tags: ["queue"]);
            builder.Services.AddRpcHealth(configure);
        },
        app => app.MapRpcHealth());

    /// <summary>A check that says what the test tells it to say, and can be held up.</summary>
    private sealed class Probe : IHealthCheck
    {
        private volatile HealthStatus _status = HealthStatus.Healthy;
        private volatile TaskCompletionSource? _hold;

        public HealthStatus Status
        {
            set => _status = value;
        }

        /// <summary>A round has come to a check that is held up.</summary>
        public TaskCompletionSource Held { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public TaskCompletionSource Cancelled { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public TaskCompletionSource Hold() => _hold = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken)
        {
            if (_hold is { } hold)
            {
                try
                {
                    Held.TrySetResult();
                    await hold.Task.WaitAsync(cancellationToken);
                }
                catch (OperationCanceledException)
                {
                    Cancelled.TrySetResult();
                    throw;
                }
            }

            return new HealthCheckResult(_status);
        }
    }
}
