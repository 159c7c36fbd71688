using System.Diagnostics;
using Weir.Classic;
using Weir.Rpc;

namespace Weir.Bench.Scale;

/// <summary>What work costs as there is more of it: idle streams, throughput by the number of streams, a reader that stands still, and what is left
/// after a burst. Prints Markdown.</summary>
internal sealed class ScaleRun(int port, RpcChannel channel)
{
    private const int IdleConnections = 10;
    private const int IdleStreams = 10_000;
    private const int StalledStreams = 1_000;
    private const int BurstConnections = 200;
    private static readonly int[] Widths = [1, 10, 100, 1_000, 10_000];
    private static readonly TimeSpan Settling = TimeSpan.FromSeconds(12); // before a burst, so that what other parts have left is not compared with
    private static readonly TimeSpan Rest = TimeSpan.FromSeconds(25);     // after it; a server looks every five seconds whether it is idle

    private readonly MemoryService.Client _server = new(channel);

    /// <summary>The parts by name, in order; under five minutes in all.</summary>
    public static IReadOnlyList<string> Parts { get; } = ["idle", "throughput", "stalled", "burst"];

    /// <summary>Runs some parts.</summary>
    public async Task RunAsync(IEnumerable<string> parts)
    {
        foreach (var part in parts)
        {
            await (part switch
            {
                "idle" => IdleAsync(),
                "throughput" => ThroughputAsync(),
                "stalled" => StalledAsync(),
                _ => BurstAsync(),
            });
        }
    }

    /// <summary>Streams that have sent and received one message each, and wait for the next.</summary>
    private async Task IdleAsync()
    {
        Console.WriteLine($"## Idle streams\n\n{IdleStreams:N0} duplex streams on {IdleConnections} connections; what they add to the live objects of each process.\n");
        Console.WriteLine("| streams | bytes a stream, server | bytes a stream, client |\n| --- | --- | --- |");
        await OpenIdleAsync(1_000, _ => Task.CompletedTask); // both ends have their pools filled and their code compiled
        var (server, client) = await MemoryAsync(new MeasureRequest { Collect = true });
        await OpenIdleAsync(IdleStreams, async opened =>
        {
            var (serverAfter, clientAfter) = await MemoryAsync(new MeasureRequest { Collect = true });
            Console.WriteLine($"| {opened:N0} | {(serverAfter.HeapBytes - server.HeapBytes) / opened:N0} | {(clientAfter.HeapBytes - client.HeapBytes) / opened:N0} |\n");
        });
    }

    private async Task OpenIdleAsync(int streams, Func<int, Task> whileOpen)
    {
        var channels = Enumerable.Range(0, IdleConnections).Select(_ => Workloads.Connect(port)).ToArray();
        var calls = new List<(DuplexStreamingCall<ChatMessage, ChatMessage> Call, IAsyncEnumerator<ChatMessage> Answers, Task<bool> Next)>();
        var message = Payload.Message(Payload.Echo);
        try
        {
            for (var i = 0; i < streams; i++)
            {
                var call = new ChatService.Client(channels[i % channels.Length]).Chat();
                var answers = call.Responses.GetAsyncEnumerator();
                await call.SendAsync(message);
                if (!await answers.MoveNextAsync())
                    throw new InvalidDataException("an idle stream ended");
                calls.Add((call, answers, answers.MoveNextAsync().AsTask()));
            }

            await whileOpen(streams);
        }
        finally
        {
            foreach (var (call, answers, next) in calls)
            {
                await call.CompleteAsync();
                await next;
                await answers.DisposeAsync();
                await call.DisposeAsync();
            }

            foreach (var each in channels)
                await each.DisposeAsync();
        }
    }

    private async Task ThroughputAsync()
    {
        Console.WriteLine("## Throughput by streams\n\nAll streams together on one connection; medians of three rounds of a second after a shorter one.\n");
        Console.WriteLine("| streams | list msg/s | of the peak | ping msg/s | of the peak |\n| --- | --- | --- | --- | --- |");
        var rows = new List<(int Width, double List, double Ping)>();
        foreach (var width in Widths)
            rows.Add((width, await MedianAsync("list", width), await MedianAsync("ping", width)));

        var (mostListed, mostPings) = (rows.Max(row => row.List), rows.Max(row => row.Ping));
        foreach (var (width, list, ping) in rows)
            Console.WriteLine($"| {width:N0} | {list:N0} | {list / mostListed:P0} | {ping:N0} | {ping / mostPings:P0} |");
        Console.WriteLine();
    }

    /// <summary>The same work with and without a stream on the same connection whose reader takes one message and then no more. They take turns.</summary>
    private async Task StalledAsync()
    {
        Console.WriteLine($"## A reader that stands still\n\n{StalledStreams - 1:N0} streams at work, and one on the same connection that nobody reads: a download of 64 KiB messages. Medians of five rounds each, in turns.\n");
        Console.WriteLine("| | without it, msg/s | beside it, msg/s | of it |\n| --- | --- | --- | --- |");
        foreach (var mode in new[] { "list", "ping" })
        {
            var count = await CountAsync(mode, StalledStreams - 1);
            var (alone, beside) = (new List<double>(), new List<double>());
            for (var i = 0; i < 5; i++)
            {
                alone.Add(await OnceAsync(mode, count, StalledStreams - 1));
                await using var download = new BenchService.Client(channel).Download(new DownloadRequest { Chunks = 10_000, ChunkBytes = Payload.ChunkBytes }).GetAsyncEnumerator();
                if (!await download.MoveNextAsync())
                    throw new InvalidDataException("the download was empty");
                beside.Add(await OnceAsync(mode, count, StalledStreams - 1));
            }

            var (without, with) = (Median(alone), Median(beside));
            Console.WriteLine($"| {mode} | {without:N0} | {with:N0} | {with / without:P0} |");
        }

        Console.WriteLine();
    }

    private async Task BurstAsync()
    {
        Console.WriteLine($"## After a burst\n\n{BurstConnections} connections at once, each an upload of 64 chunks of 64 KiB and a message of 4 MiB, which is one object for all; resident MiB, before it after {Settling.TotalSeconds:F0} s of rest. The server gives memory back when it is idle, as Weir's own does; the client does not.\n");
        Console.WriteLine($"| | before | peak | {Rest.TotalSeconds:F0} s after |\n| --- | --- | --- | --- |");
        await Task.Delay(Settling);
        var (server, client) = await MemoryAsync(new MeasureRequest { Collect = true, ForgetPeak = true });
        await Task.WhenAll(Enumerable.Range(0, BurstConnections).Select(_ => Task.Run(async () =>
        {
            await using var own = Workloads.Connect(port);
            var calls = new Workloads(port, own);
            await calls.Find("upload")!(new Round(64, 1));
            await calls.Find("large")!(new Round(1, 1));
        })));
        await Task.Delay(Rest);
        var (serverAfter, clientAfter) = await MemoryAsync(new MeasureRequest());
        Console.WriteLine(Row("server", server, serverAfter));
        Console.WriteLine(Row("client", client, clientAfter));

        static string Row(string who, Memory before, Memory after) =>
            $"| {who} | {before.ResidentBytes >> 20} | {after.PeakBytes >> 20} | {after.ResidentBytes >> 20} |";
    }

    private async Task<double> MedianAsync(string mode, int width)
    {
        var count = await CountAsync(mode, width);
        var rates = new List<double>();
        for (var i = 0; i < 3; i++)
            rates.Add(await OnceAsync(mode, count, width));
        return Median(rates);
    }

    /// <summary>How many messages a second takes, after a warm-up; at least so many a stream that its opening and end weigh little.</summary>
    private async Task<int> CountAsync(string mode, int width)
    {
        var least = width * (mode == "list" ? 30 : 20);
        var count = Math.Max(least, mode == "list" ? 200_000 : 5_000);
        await OnceAsync(mode, count, width);
        return Math.Max(least, (int)await OnceAsync(mode, count, width));
    }

    private async Task<double> OnceAsync(string mode, int messages, int width)
    {
        var start = Stopwatch.GetTimestamp();
        await new Workloads(port, channel).Find(mode)!(new Round(messages, width));
        return messages / Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    private async Task<(Memory Server, Memory Client)> MemoryAsync(MeasureRequest request) => (await _server.Measure(request), MemoryCalls.Read(request));

    private static double Median(List<double> values)
    {
        values.Sort();
        return values[values.Count / 2];
    }
}
