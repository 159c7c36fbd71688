using System.Security.Cryptography;
using Weir.Rpc;
using Weir.Server.Tests.Live;

namespace Weir.Client.Tests.Live;

public sealed class TransferTests : IAsyncLifetime
{
    private static readonly ReconnectOptions Quick = new() { FirstDelay = TimeSpan.FromMilliseconds(1), MaxDelay = TimeSpan.FromMilliseconds(5) };

    // Some cuts fall into the handshake: attempts that fail, after which the channel pauses by itself.
    private static RpcChannelOptions QuickChannel => new() { Backoff = { Initial = TimeSpan.FromMilliseconds(1), Max = TimeSpan.FromMilliseconds(5) } };

    private readonly string _folder = Directory.CreateTempSubdirectory("weir-transfer-").FullName;
    private RunningServer _server = null!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _server = await RunningServer.StartAsync();

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    /// <summary>Every attempt is cut at a random byte, in the handshake or in the data, until the cuts are used up.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public async Task Uploads_and_downloads_cut_at_random_bytes_equal_the_original(int seed)
    {
        var random = new Random(seed);
        var size = random.Next(1, 3_000_000);
        var data = new byte[size];
        random.NextBytes(data);
        var source = Path.Combine(_folder, "source");
        await File.WriteAllBytesAsync(source, data, Stop);

        string fileId;
        var plan = Plan(random, size);
        await using (var proxy = new CuttingProxy(_server.Uri, n => n < plan.Length ? new CutPlan(AfterClientBytes: plan[n]) : new CutPlan()))
        await using (var channel = RpcChannel.ForAddress(proxy.Url, QuickChannel))
        {
            var options = new UploadOptions { ChunkBytes = random.Next(1_000, 100_000), Reconnect = Quick };
            var done = await new FileTransfers(channel).UploadAsync(source, options, Stop).Soon();
            Assert.Equal((size, Convert.ToHexStringLower(SHA256.HashData(data))), (done.SizeBytes, done.Sha256));
            fileId = done.FileId;
        }

        plan = Plan(random, size);
        await using (var proxy = new CuttingProxy(_server.Uri, n => n < plan.Length ? new CutPlan(AfterServerBytes: plan[n]) : new CutPlan()))
        await using (var channel = RpcChannel.ForAddress(proxy.Url, QuickChannel))
        {
            var destination = Path.Combine(_folder, "copy");
            var options = new DownloadOptions { ChunkBytes = random.Next(1_000, 100_000), Reconnect = Quick };
            await new FileTransfers(channel).DownloadAsync(fileId, destination, options, Stop).Soon();
            Assert.Equal(data, await File.ReadAllBytesAsync(destination, Stop));
            Assert.Equal(2, Directory.GetFiles(_folder).Length);
        }
    }

    [Fact]
    public async Task An_upload_that_was_stopped_goes_on_where_it_was_when_it_is_called_again()
    {
        var source = Path.Combine(_folder, "source");
        await File.WriteAllBytesAsync(source, RandomNumberGenerator.GetBytes(20_000_000), Stop);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        var transfers = new FileTransfers(_server.Channel);
        var first = new UploadOptions { Progress = new Told(progress => { if (progress.Bytes > 10_000_000) stop.Cancel(); }) };
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => transfers.UploadAsync(source, first, stop.Token)).Soon();

        var done = await transfers.UploadAsync(source, cancellationToken: Stop).Soon();
        Assert.InRange(done.ResumedAtBytes, 1, 20_000_000);
        Assert.Equal(20_000_000, (await transfers.UploadAsync(source, cancellationToken: Stop).Soon()).ResumedAtBytes);
        Assert.Equal(done.FileId, Assert.Single(await transfers.FindAsync("source", Stop)).FileId);
    }

    [Fact]
    public async Task A_newer_upload_takes_over_and_the_older_one_ends_with_Aborted()
    {
        var source = Path.Combine(_folder, "source");
        await File.WriteAllBytesAsync(source, RandomNumberGenerator.GetBytes(5_000_000), Stop);
        var transfers = new FileTransfers(_server.Channel);
        var half = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var gate = new ManualResetEventSlim();
        var slow = Task.Run(() => transfers.UploadAsync(source, new UploadOptions
        {
            Progress = new Told(progress =>
            {
                if (progress.Bytes < 2_000_000)
                    return;
                half.TrySetResult();
                gate.Wait(Stop);
            }),
        }, Stop), Stop);
        await half.Task.Soon();
        var done = await transfers.UploadAsync(source, cancellationToken: Stop).Soon();
        gate.Set();
        Assert.Equal(StatusCode.Aborted, (await Assert.ThrowsAsync<RpcException>(() => slow).Soon()).StatusCode);
        Assert.Equal(5_000_000, done.SizeBytes);
    }

    [Fact]
    public async Task A_download_to_a_disk_that_fails_throws_and_does_not_hang()
    {
        var done = await new FileTransfers(_server.Channel).UploadAsync(new MemoryStream(new byte[2_000_000]), new UploadOptions { Name = "x" }, Stop);
        Assert.SkipUnless(File.Exists("/dev/full"), "There is no /dev/full here.");
        var destination = Path.Combine(_folder, "copy");
        File.CreateSymbolicLink(PartFile.PathFor(destination, done.FileId), "/dev/full");
        await Assert.ThrowsAsync<IOException>(() => new FileTransfers(_server.Channel).DownloadAsync(done.FileId, destination, cancellationToken: Stop)).Soon();
    }

    [Fact]
    public async Task Memory_does_not_grow_with_the_file()
    {
        const long Size = 200_000_000;
        var source = Path.Combine(_folder, "source");
        await using (var file = File.Create(source))
            file.SetLength(Size);
        var peak = 0L;
        var watch = new Told(progress =>
        {
            // What is in use: garbage that no collection has taken yet says more about the machine's caches than about transfers.
            if (progress.Bytes % (16 << 20) < 65_536)
                peak = Math.Max(peak, GC.GetTotalMemory(forceFullCollection: true));
        });
        var before = GC.GetTotalMemory(forceFullCollection: true);
        var transfers = new FileTransfers(_server.Channel);
        var done = await transfers.UploadAsync(source, new UploadOptions { Progress = watch }, Stop);
        await transfers.DownloadAsync(done.FileId, Path.Combine(_folder, "copy"), new DownloadOptions { Progress = watch }, Stop);
        Assert.InRange(peak - before, 1, 50_000_000); // both ends are in this process
    }

    // The first cuts fall into the connection's beginning, the others anywhere in what is left.
    private static long[] Plan(Random random, int size) =>
        [.. Enumerable.Range(0, 8).Select(n => n < 3 ? random.Next(1, 500) : random.Next(1, Math.Max(2, size / 4)))];

    private sealed class Told(Action<TransferProgress> told) : IProgress<TransferProgress>
    {
        public void Report(TransferProgress value) => told(value);
    }
}
