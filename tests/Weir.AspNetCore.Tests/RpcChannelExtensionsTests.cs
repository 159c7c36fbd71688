using Microsoft.Extensions.DependencyInjection;
using Weir.Rpc;

namespace Weir.AspNetCore.Tests;

/// <summary>Channels and clients from dependency injection, and what their calls take from the call that a handler answers.</summary>
public sealed class RpcChannelExtensionsTests
{
    private static readonly CallOptions Limit = new() { Timeout = TimeSpan.FromMinutes(10) };

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_handlers_calls_have_the_deadline_of_its_own_when_the_channel_propagates(bool propagates)
    {
        await using var back = await RpcApp.StartAsync(_ => { }, app => app.MapRpc<BackService>());
        await using var front = await RpcApp.StartAsync(
            builder =>
            {
                var channel = builder.Services.AddRpcChannel(back.Url).AddClient<BackClient>();
                if (propagates)
                    channel.PropagateCalls();
            },
            app => app.MapRpc<FrontService>());
        Assert.Equal(propagates ? "limited" : "unlimited", await front.Channel.Unary(FrontService.Method, "", Limit, TestContext.Current.CancellationToken));
        Assert.Equal("unlimited", await front.Channel.Unary(FrontService.Method, "", default, TestContext.Current.CancellationToken));
        Assert.Empty(front.Logs.Warnings);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Outside_of_a_handler_a_propagating_client_throws_or_calls_without(bool optional)
    {
        await using var back = await RpcApp.StartAsync(_ => { }, app => app.MapRpc<BackService>());
        var services = new ServiceCollection();
        services.AddRpcChannel(back.Url).PropagateCalls(optional).AddClient<BackClient>();
        await using var provider = services.BuildServiceProvider();
        var client = provider.GetRequiredService<BackClient>();
        if (optional)
            Assert.Equal("unlimited", await client.Ask());
        else
            Assert.Throws<InvalidOperationException>(() => client.Ask());
    }

    [Fact]
    public async Task Clients_of_a_channel_share_it_those_of_two_do_not_and_the_container_disposes_of_both()
    {
        await using var back = await RpcApp.StartAsync(_ => { }, app => app.MapRpc<BackService>());
        List<RpcChannel> channels = [];
        var services = new ServiceCollection();
        services.AddRpcChannel(_ => Create()).AddClient<BackClient>().AddClient<OtherClient>();
        services.AddRpcChannel(_ => Create()).AddClient<ThirdClient>();
        OtherClient other;
        await using (var provider = services.BuildServiceProvider())
        {
            Assert.Empty(channels);
            Assert.Same(provider.GetRequiredService<BackClient>().Invoker, provider.GetRequiredService<OtherClient>().Invoker);
            Assert.Same(provider.GetRequiredService<BackClient>(), provider.GetRequiredService<BackClient>());
            other = provider.GetRequiredService<OtherClient>();
            Assert.NotSame(other.Invoker, provider.GetRequiredService<ThirdClient>().Invoker);
            Assert.Equal("unlimited", await other.Ask());
            Assert.Equal(2, channels.Count);
        }

        Assert.All(channels, channel => Assert.Equal(ConnectivityState.Shutdown, channel.State));
        Assert.Throws<ObjectDisposedException>(() => other.Ask());

        RpcChannel Create()
        {
            channels.Add(RpcChannel.ForAddress(back.Url));
            return channels[^1];
        }
    }

    [Fact]
    public async Task The_settings_are_the_applications_and_those_of_the_caller()
    {
        var logs = new TestApp.LogList();
        var services = new ServiceCollection();
        services.AddLogging(logging => logging.Services.AddSingleton<Microsoft.Extensions.Logging.ILoggerProvider>(logs));
        services.AddRpcChannel("static:///a:1", options => options.ConnectAddress = (_, _) => throw new IOException("no route")).AddClient<BackClient>();
        await using var provider = services.BuildServiceProvider();
        var error = await Assert.ThrowsAsync<RpcException>(async () => await provider.GetRequiredService<BackClient>().Ask());
        Assert.Contains("no route", error.Status.Detail, StringComparison.Ordinal);
        Assert.Contains(logs.Warnings, warning => warning.Contains("no route", StringComparison.Ordinal));
    }

    [Fact]
    public void An_address_that_is_none_is_refused_when_its_client_is_asked_for()
    {
        var services = new ServiceCollection();
        services.AddRpcChannel("ftp://a").AddClient<BackClient>();
        using var provider = services.BuildServiceProvider();
        Assert.Throws<ArgumentException>(provider.GetRequiredService<BackClient>);
        Assert.Throws<ArgumentNullException>(() => services.AddRpcChannel((string)null!));
        Assert.Throws<ArgumentNullException>(() => services.AddRpcChannel((Func<IServiceProvider, RpcChannel>)null!));
    }

    private sealed class BackService : IRpcService
    {
        public static readonly Method<string, string> Method = new(MethodKind.Unary, "test.Back", "Ask", TextMarshaller.Instance, TextMarshaller.Instance);

        public static void Bind(ServiceBinder binder) => binder.Unary<BackService, string, string>(
            Method, (_, _, call) => ValueTask.FromResult(call.Deadline is null ? "unlimited" : "limited"));
    }

    private sealed class FrontService(BackClient back) : IRpcService
    {
        public static readonly Method<string, string> Method = new(MethodKind.Unary, "test.Front", "Ask", TextMarshaller.Instance, TextMarshaller.Instance);

        private BackClient Back => back;

        public static void Bind(ServiceBinder binder) => binder.Unary<FrontService, string, string>(Method, async (service, _, _) => await service.Back.Ask());
    }

    private class BackClient(CallInvoker invoker)
    {
        public CallInvoker Invoker => invoker;

        public UnaryCall<string> Ask() => invoker.Unary(BackService.Method, "", default, TestContext.Current.CancellationToken);
    }

    private sealed class OtherClient(CallInvoker invoker) : BackClient(invoker);

    private sealed class ThirdClient(CallInvoker invoker) : BackClient(invoker);
}
