using System.Net.Sockets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Time.Testing;

namespace Weir.AspNetCore.Tests;

public sealed class GracefulShutdownTests
{
    [Fact]
    public async Task A_connection_that_ends_on_drain_is_not_aborted()
    {
        await using var app = await StartAsync();
        await using var client = await ConnectAsync(app);
        await app.StopAsync().Soon();
        Assert.True(app.Server.Draining.Task.IsCompleted);
        Assert.False(app.Server.Aborted.Task.IsCompleted);
        Assert.Equal("", await client.ReceiveAsync(1));
    }

    [Fact]
    public async Task A_connection_that_does_not_end_is_aborted_after_the_drain_timeout_and_not_before()
    {
        var time = new FakeTimeProvider();
        var server = new FakeConnectionServer { EndsOnDrain = false };
        await using var app = await TestApp.StartAsync(configure: builder => builder.Services.AddSingleton<TimeProvider>(time), server: server);
        await using var client = await ConnectAsync(app);
        var stopping = app.StopAsync();
        await server.Draining.Task.Soon();
        time.Advance(TimeSpan.FromSeconds(4.9));
        Assert.False(server.Aborted.Task.IsCompleted);
        Assert.False(stopping.IsCompleted);
        time.Advance(TimeSpan.FromSeconds(0.1));
        await server.Aborted.Task.Soon();
        await stopping.Soon();
        Assert.Equal("1 HTTP/2 connections still had calls after 00:00:05; their calls are cancelled.", Assert.Single(app.Logs.Warnings));
    }

    [Fact]
    public async Task Without_connections_the_host_stops_at_once()
    {
        await using var app = await StartAsync();
        await app.StopAsync().Soon();
        Assert.False(app.Server.Aborted.Task.IsCompleted);
    }

    [Fact]
    public async Task A_drain_timeout_that_the_host_would_cut_short_is_refused()
    {
        var error = await Assert.ThrowsAsync<InvalidOperationException>(() => TestApp.StartAsync(
            configure: builder => builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(5))));
        Assert.Equal("WeirOptions.DrainTimeout is 00:00:05; it must be less than HostOptions.ShutdownTimeout, which is 00:00:05.", error.Message);
    }

    [Fact]
    public void Options_out_of_range_are_refused()
    {
        var options = new WeirOptions();
        Assert.Throws<ArgumentOutOfRangeException>(() => options.HandshakeTimeout = TimeSpan.Zero);
        Assert.Throws<ArgumentOutOfRangeException>(() => options.DrainTimeout = TimeSpan.FromTicks(-1));
        options.DrainTimeout = TimeSpan.Zero;
        Assert.Equal((TimeSpan.FromSeconds(10), TimeSpan.Zero), (options.HandshakeTimeout, options.DrainTimeout));
    }

    /// <summary>An application whose drain timeout never passes.</summary>
    private static Task<TestApp> StartAsync() =>
        TestApp.StartAsync(configure: builder => builder.Services.AddSingleton<TimeProvider>(new FakeTimeProvider()));

    private static async Task<NetworkStream> ConnectAsync(TestApp app)
    {
        var client = new NetworkStream(await app.ConnectAsync(), ownsSocket: true);
        await client.SendAsync(Wire.Preface);
        Assert.Equal("weir", await client.ReceiveAsync(4));
        return client;
    }
}
