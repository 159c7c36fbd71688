using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Weir.AspNetCore;
using Weir.Bench.Scale;

namespace Weir.Bench;

/// <summary>The bench contract on a server, with Weir's settings as they are except for the number of streams and the largest message.</summary>
internal static class BenchServer
{
    /// <summary>Where servers listen and clients connect to: the variable BENCH_HOST, an IPv4 address, or 127.0.0.1.</summary>
    public static string Host { get; } = Environment.GetEnvironmentVariable("BENCH_HOST") is { Length: > 0 } host ? host : "127.0.0.1";

    /// <summary>Serves until Ctrl-C or SIGTERM. With <paramref name="trims"/> it gives memory back when it is idle, as Weir's own server does;
    /// without, no collection falls between two measured rounds.</summary>
    public static async Task RunAsync(int port, bool trims)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.SetMinimumLevel(LogLevel.Warning);
        builder.AddWeir(options =>
        {
            options.Rpc.Http2.MaxConcurrentStreams = Payload.MaxStreams;
            options.Rpc.MaxReceiveMessageBytes = Payload.MaxMessageBytes;
            options.Rpc.MaxSendMessageBytes = Payload.MaxMessageBytes;
        });
        builder.Services.AddSingleton<BenchStreams>().AddSingleton<BenchRooms>().AddSingleton<BenchCalls>().AddSingleton<MemoryCalls>();
        if (trims)
            builder.Services.AddRpcIdleMemory();
        await using var app = builder.Build();
        app.Urls.Add($"http://{Host}:{port}");
        app.MapRpc<BenchStreams>().MapRpc<BenchRooms>().MapRpc<BenchCalls>().MapRpc<MemoryCalls>();
        await app.StartAsync();
        Console.WriteLine($"listening {port}");
        await app.WaitForShutdownAsync();
    }
}
