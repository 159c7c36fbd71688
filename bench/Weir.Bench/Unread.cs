using Weir.Rpc;

namespace Weir.Bench;

/// <summary>Downloads whose readers stand still once they have read a while: what they hold in the client's memory then.</summary>
internal static class Unread
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(500);

    /// <summary>Reads so many chunks over all streams, so that windows grow, then none, until memory grows no more.</summary>
    public static async Task RunAsync(RpcChannel channel, int chunks, int streams)
    {
        using var end = new CancellationTokenSource();
        var client = new BenchService.Client(channel);
        var before = GC.GetTotalMemory(forceFullCollection: true);
        var read = 0;
        var enough = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var readers = Enumerable.Range(0, streams).Select(_ => Task.Run(ReadAsync)).ToArray();
        await Task.WhenAny(enough.Task, Task.WhenAll(readers));
        var (held, last) = (HeldBytes(), 0L);
        while (held > last + (last / 100))
        {
            last = held;
            await Task.Delay(LookEvery);
            held = HeldBytes();
        }

        Console.WriteLine($"unread streams={streams} read={Volatile.Read(ref read)} held={held / 1048576.0:F1}MiB resident={Environment.WorkingSet / 1048576.0:F0}MiB");
        end.Cancel();
        await Task.WhenAll(readers);

        long HeldBytes() => GC.GetTotalMemory(forceFullCollection: true) - before;

        async Task ReadAsync()
        {
            try
            {
                var request = new DownloadRequest { Chunks = 1 << 30, ChunkBytes = Payload.ChunkBytes };
                await foreach (var chunk in client.Download(request, cancellationToken: end.Token))
                {
                    if (Interlocked.Increment(ref read) < chunks)
                        continue;
                    enough.TrySetResult();
                    await Task.Delay(Timeout.Infinite, end.Token);
                }
            }
            catch (Exception error) when (error is OperationCanceledException or RpcException && end.IsCancellationRequested)
            {
                // The end of the look.
            }
        }
    }
}
