using Microsoft.AspNetCore.Builder;
using Weir.Rpc;

namespace Weir.Server.Tests.Live;

/// <summary>The whole server on a port of its own, over a folder of its own.</summary>
internal sealed class RunningServer : IAsyncDisposable
{
    private RunningServer(WebApplication app, string folder)
    {
        App = app;
        Folder = folder;
        Url = app.Urls.Single();
        Channel = RpcChannel.ForAddress(Url.Replace("http://unix:", "unix:", StringComparison.Ordinal));
    }

    public WebApplication App { get; }

    public string Folder { get; }

    public string Url { get; }

    public Uri Uri => new(Url);

    /// <summary>A channel for calls that nothing cuts.</summary>
    public RpcChannel Channel { get; }

    public static Task<RunningServer> StartAsync(params string[] args) => StartAsync(null, args);

    public static async Task<RunningServer> StartAsync(Action<WebApplicationBuilder>? configure, params string[] args)
    {
        var folder = Directory.CreateTempSubdirectory("weir-live-").FullName;
        var urls = args.Contains("--urls") ? [] : (string[])["--urls", "http://127.0.0.1:0"];
        var app = WeirServer.BuildWith([.. urls, "--data", folder, .. args], configure);
        await app.StartAsync(TestContext.Current.CancellationToken);
        return new RunningServer(app, folder);
    }

    public async ValueTask DisposeAsync()
    {
        await Channel.DisposeAsync();
        await App.DisposeAsync();
        Directory.Delete(Folder, recursive: true);
    }
}

/// <summary>Waits that end.</summary>
internal static class Bounded
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    extension<T>(Task<T> task)
    {
        /// <summary>The result, which must come within 60 s.</summary>
        public Task<T> Soon() => task.WaitAsync(Patience, TestContext.Current.CancellationToken);
    }

    extension(Task task)
    {
        /// <summary>The end, which must come within 60 s.</summary>
        public Task Soon() => task.WaitAsync(Patience, TestContext.Current.CancellationToken);
    }

    /// <summary>Waits until something holds, at most 60 s; <paramref name="what"/> says what did not come.</summary>
    public static async Task UntilAsync(Func<bool> holds, string what)
    {
        for (var tries = 0; !holds(); tries++)
        {
            Assert.True(tries < 6_000, $"Within 60 s there was no {what}.");
            await Task.Delay(10, TestContext.Current.CancellationToken);
        }
    }
}
