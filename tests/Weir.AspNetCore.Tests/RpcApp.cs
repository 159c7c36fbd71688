using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Logging;
using Weir.Rpc;

namespace Weir.AspNetCore.Tests;

/// <summary>A real application with real calls: Kestrel on a free port and a channel to it.</summary>
internal sealed class RpcApp : IAsyncDisposable
{
    private readonly WebApplication _app;

    private RpcApp(WebApplication app, TestApp.LogList logs)
    {
        (_app, Logs) = (app, logs);
        Channel = RpcChannel.ForAddress(Url);
    }

    public string Url => _app.Urls.Single();

    public RpcChannel Channel { get; }

    public TestApp.LogList Logs { get; }

    public static async Task<RpcApp> StartAsync(Action<WebApplicationBuilder> configure, Action<WebApplication> map)
    {
        var logs = new TestApp.LogList();
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders().AddProvider(logs);
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.AddWeir();
        configure(builder);
        var app = builder.Build();
        try
        {
            map(app);
            await app.StartAsync(TestContext.Current.CancellationToken);
        }
        catch
        {
            await app.DisposeAsync();
            throw;
        }

        return new RpcApp(app, logs);
    }

    public Task StopAsync() => _app.StopAsync(TestContext.Current.CancellationToken);

    public async ValueTask DisposeAsync()
    {
        await Channel.DisposeAsync();
        await _app.DisposeAsync();
    }
}
