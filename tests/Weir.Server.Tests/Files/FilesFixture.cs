using System.Security.Cryptography;
using System.Threading.Channels;
using Google.Protobuf;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Time.Testing;
using Weir.Rpc;
using Weir.Server.Files;
using Weir.V1;

namespace Weir.Server.Tests.Files;

/// <summary>A file store in a folder of its own. A restart is a new store over the same folder.</summary>
sealed class FilesFixture : IDisposable
{
    readonly string _root = Directory.CreateTempSubdirectory("weir-files-").FullName;

    public FilesFixture() => Restart();

    public static CancellationToken Stop => TestContext.Current.CancellationToken;

    public FakeTimeProvider Time { get; } = new(DateTimeOffset.UtcNow);

    public string Folder => Path.Combine(_root, "files");

    public string[] Parts => Directory.GetFiles(Path.Combine(Folder, "uploads"));

    public FilesHandler Handler { get; private set; } = null!;

    public void Restart(long maxFileBytes = 1 << 30) => Handler = new FilesHandler(
        new FileStore(new FilesOptions { Directory = Folder, MaxFileBytes = maxFileBytes }, Time), new ActiveUploads());

    public async Task<UploadResponse> UploadAsync(params FileChunk[] chunks)
    {
        using var call = new TestCall();
        return await Handler.UploadFile(chunks.ToAsyncEnumerable(), call).AsTask().WaitAsync(TimeSpan.FromSeconds(60), Stop);
    }

    /// <summary>Sends chunks and breaks the stream behind them.</summary>
    public async Task BreakAsync(params FileChunk[] chunks)
    {
        using var call = new TestCall();
        await Assert.ThrowsAsync<IOException>(async () => await Handler.UploadFile(Broken(chunks), call));
    }

    public async Task<RpcException> RefusedAsync(params FileChunk[] chunks) =>
        await Assert.ThrowsAsync<RpcException>(() => UploadAsync(chunks));

    public async Task<Upload> GetUploadAsync(string id)
    {
        using var call = new TestCall();
        return await Handler.GetUpload(new GetUploadRequest { UploadId = id }, call);
    }

    public async Task<FileChunk[]> DownloadAsync(DownloadFileRequest request)
    {
        using var call = new TestCall();
        return await Handler.DownloadFile(request, call).ToArrayAsync(Stop);
    }

    public async Task<byte[]> BytesAsync(string fileId) =>
        [.. (await DownloadAsync(new DownloadFileRequest { FileId = fileId })).SelectMany(chunk => chunk.Data)];

    public async Task<V1.FileInfo[]> ListAsync(string name = "")
    {
        using var call = new TestCall();
        return await Handler.ListFiles(new ListFilesRequest { FileName = name }, call).ToArrayAsync(Stop);
    }

    public static FileChunk Chunk(ReadOnlySpan<byte> data, string name = "", string id = "", int number = 0, long? offset = null, long total = 0, string sha256 = "")
    {
        var chunk = new FileChunk { FileName = name, Data = ByteString.CopyFrom(data), UploadId = id, ChunkNumber = number, TotalSize = total, Sha256 = sha256 };
        if (offset is { } place) chunk.Offset = place;
        return chunk;
    }

    public static byte[] Bytes(int count, int seed = 1)
    {
        var bytes = new byte[count];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    public static string Sha256(ReadOnlySpan<byte> data) => Convert.ToHexStringLower(SHA256.HashData(data));

    public static async IAsyncEnumerable<FileChunk> Broken(FileChunk[] chunks)
    {
        foreach (var chunk in chunks) yield return chunk;
        await Task.Yield();
        throw new IOException("the connection is lost");
    }

    public static Channel<FileChunk> Stream() => Channel.CreateBounded<FileChunk>(4);

    public void Dispose()
    {
        SqliteConnection.ClearAllPools();
        Directory.Delete(_root, recursive: true);
    }
}
