using System.Diagnostics;
using Weir.Classic;
using Weir.Rpc;

namespace Weir.Bench;

/// <summary>
/// Pings at a fixed rate: each has its time, is sent when that has come whether or not earlier ones are answered, and its latency counts
/// from that time, so a stall counts for every ping that it holds up. The k-th answer of a stream belongs to its k-th ping.
/// </summary>
internal sealed class OpenLoop(RpcChannel channel, int perSecond, int width)
{
    private const int RoundSeconds = 2;

    private readonly int _count = checked(perSecond * RoundSeconds);
    private readonly double _interval = (double)Stopwatch.Frequency / perSecond; // Stopwatch ticks between two pings

    /// <summary>Runs the rounds and prints a line each.</summary>
    public static async Task RunAsync(RpcChannel channel, int perSecond, int width, int rounds)
    {
        var loop = new OpenLoop(channel, perSecond, width);
        for (var i = 0; i < rounds; i++)
            Console.WriteLine(await loop.RoundAsync());
    }

    private async Task<string> RoundAsync()
    {
        var chat = new ChatService.Client(channel);
        var calls = Enumerable.Range(0, width).Select(_ => chat.Chat()).ToArray();
        try
        {
            var latencies = new long[_count];
            var start = Stopwatch.GetTimestamp() + Stopwatch.Frequency / 100;
            var receiving = calls.Select((call, index) => Task.Run(() => ReceiveAsync(call, index, start, latencies))).ToArray();
            var sending = Task.Factory.StartNew(() => SendAsync(calls, start), TaskCreationOptions.LongRunning).Unwrap();
            await Task.WhenAll([sending, .. receiving]);
            var wall = Stopwatch.GetElapsedTime(start).TotalSeconds;
            Array.Sort(latencies);
            return $"rate streams={width} n={_count} {wall:F2}s {_count / wall:F0} msg/s of {perSecond} "
                + $"p50={At(latencies, 0.5):F0}us p99={At(latencies, 0.99):F0}us p99.9={At(latencies, 0.999):F0}us max={At(latencies, 1):F0}us";
        }
        finally
        {
            foreach (var call in calls)
                await call.DisposeAsync();
        }
    }

    /// <summary>Until a ping's time has come the thread gives its core to whoever wants it, without going to sleep: a sleep is too coarse.</summary>
    private async Task SendAsync(DuplexStreamingCall<ChatMessage, ChatMessage>[] calls, long start)
    {
        var message = Payload.Message(Payload.Echo);
        for (var i = 0; i < _count; i++)
        {
            while (Stopwatch.GetTimestamp() < Due(start, i))
                Thread.Yield();
            await calls[i % width].SendAsync(message);
        }

        foreach (var call in calls)
            await call.CompleteAsync();
    }

    private async Task ReceiveAsync(DuplexStreamingCall<ChatMessage, ChatMessage> call, int index, long start, long[] latencies)
    {
        var next = index;
        await foreach (var _ in call.Responses)
        {
            latencies[next] = Stopwatch.GetTimestamp() - Due(start, next);
            next += width;
        }

        if (next < _count)
            throw new InvalidDataException($"a stream ended before its answer {next / width}");
    }

    private long Due(long start, int index) => start + (long)(index * _interval);

    private static double At(long[] sorted, double share) =>
        sorted[Math.Max(0, (int)Math.Ceiling(share * sorted.Length) - 1)] * 1e6 / Stopwatch.Frequency;
}
