using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;

namespace Weir.AspNetCore.Tests;

/// <summary>A real Kestrel with Weir and a stand-in behind it; "/" over HTTP/1.1 answers "aspnet".</summary>
internal sealed class TestApp : IAsyncDisposable
{
    private readonly WebApplication _app;

    private TestApp(WebApplication app, FakeConnectionServer server, LogList logs) => (_app, Server, Logs) = (app, server, logs);

    public FakeConnectionServer Server { get; }

    public LogList Logs { get; }

    public IEnumerable<string> Urls => _app.Urls;

    public static async Task<TestApp> StartAsync(
        string? urls = "http://127.0.0.1:0",
        Action<WebApplicationBuilder>? configure = null,
        Action<WeirOptions>? options = null,
        FakeConnectionServer? server = null)
    {
        var logs = new LogList();
        server ??= new FakeConnectionServer();
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders().AddProvider(logs);
        builder.WebHost.UseKestrelHttpsConfiguration();
        if (urls is not null)
            builder.WebHost.UseUrls(urls);
        configure?.Invoke(builder);
        builder.AddWeir(options);
        builder.Services.Replace(ServiceDescriptor.Singleton<IConnectionServer>(server));
        var app = builder.Build();
        app.MapGet("/", () => "aspnet");
        try
        {
            await app.StartAsync(TestContext.Current.CancellationToken);
        }
        catch
        {
            await app.DisposeAsync();
            throw;
        }

        return new TestApp(app, server, logs);
    }

    /// <summary>Connects to the port of the only or the chosen address.</summary>
    public async Task<Socket> ConnectAsync(string scheme = "http")
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(IPAddress.Loopback, PortOf(scheme), TestContext.Current.CancellationToken);
        return socket;
    }

    public int PortOf(string scheme) => new Uri(_app.Urls.Single(url => url.StartsWith(scheme + "://", StringComparison.Ordinal))).Port;

    public Task StopAsync() => _app.StopAsync(TestContext.Current.CancellationToken);

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    /// <summary>Keeps warnings and worse.</summary>
    internal sealed class LogList : ILoggerProvider, ILogger
    {
        public ConcurrentQueue<string> Warnings { get; } = new();

        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Warning;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (IsEnabled(logLevel))
                Warnings.Enqueue(formatter(state, exception));
        }

        public void Dispose()
        {
        }
    }
}
