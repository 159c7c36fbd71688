using Weir.Rpc;
using Weir.V1;
using static Weir.Server.Tests.Files.FilesFixture;

namespace Weir.Server.Tests.Files;

public sealed class DownloadTests : IDisposable
{
    readonly FilesFixture _files = new();

    public void Dispose() => _files.Dispose();

    [Fact]
    public async Task The_first_chunk_names_the_file_and_all_have_their_offset()
    {
        var data = Bytes(150_000);
        var id = (await _files.UploadAsync(Chunk(data, "a"))).FileId;
        var chunks = await _files.DownloadAsync(new() { FileId = id });
        Assert.Equal([65_536, 65_536, 18_928], chunks.Select(chunk => chunk.Data.Length));
        Assert.Equal([0, 65_536, 131_072], chunks.Select(chunk => chunk.Offset));
        Assert.Equal([1, 2, 3], chunks.Select(chunk => chunk.ChunkNumber));
        Assert.Equal(("a", data.Length, Sha256(data)), (chunks[0].FileName, chunks[0].TotalSize, chunks[0].Sha256));
        Assert.All(chunks[1..], chunk => Assert.Equal(("", 0, ""), (chunk.FileName, chunk.TotalSize, chunk.Sha256)));
    }

    [Theory]
    [InlineData(0, 0, 3)]
    [InlineData(4, 0, 3)]
    [InlineData(4, 2, 1)]
    [InlineData(9, 5, 1)]
    [InlineData(10, 0, 1)]
    [InlineData(0, long.MaxValue, 1_048_576)]
    public async Task A_piece_is_what_lies_between_offset_and_length(long offset, long length, int chunkBytes)
    {
        var data = Bytes(10);
        var id = (await _files.UploadAsync(Chunk(data, "a"))).FileId;
        var chunks = await _files.DownloadAsync(new() { FileId = id, Offset = offset, Length = length, ChunkBytes = chunkBytes });
        var end = length == 0 || length > 10 - offset ? 10 : (int)(offset + length);
        Assert.Equal(data[(int)offset..end], chunks.SelectMany(chunk => chunk.Data).ToArray());
        Assert.All(chunks, chunk => Assert.InRange(chunk.Data.Length, offset == 10 ? 0 : 1, chunkBytes));
    }

    [Fact]
    public async Task What_cannot_be_downloaded_is_refused_with_the_actual_and_the_allowed()
    {
        var id = (await _files.UploadAsync(Chunk(Bytes(10), "a"))).FileId;
        await Refused(new Status(StatusCode.NotFound, "there is no file 'x'"), new() { FileId = "x" });
        await Refused(new Status(StatusCode.OutOfRange, "offset is 11, the file has 10 bytes"), new() { FileId = id, Offset = 11 });
        await Refused(new Status(StatusCode.InvalidArgument, "offset is -1, 0 to 10 are allowed"), new() { FileId = id, Offset = -1 });
        await Refused(new Status(StatusCode.InvalidArgument, "length is -1, 0 or more is allowed"), new() { FileId = id, Length = -1 });
        await Refused(
            new Status(StatusCode.InvalidArgument, "chunk_bytes is 1048577, 1 to 1048576 are allowed (0 for 65536)"),
            new() { FileId = id, ChunkBytes = 1_048_577 });
        Assert.Equal(10, (await _files.BytesAsync(id)).Length);

        async Task Refused(Status status, DownloadFileRequest request) =>
            Assert.Equal(status, (await Assert.ThrowsAsync<RpcException>(() => _files.DownloadAsync(request))).Status);
    }

    [Fact]
    public async Task A_file_deleted_meanwhile_is_streamed_to_its_end()
    {
        var data = Bytes(100);
        var id = (await _files.UploadAsync(Chunk(data, "a", "up"))).FileId;
        using var call = new TestCall();
        var read = new List<byte>();
        await foreach (var chunk in _files.Handler.DownloadFile(new() { FileId = id, ChunkBytes = 10 }, call).WithCancellation(Stop))
        {
            if (read.Count == 0) await _files.Handler.DeleteFile(new() { FileId = id }, call);
            read.AddRange(chunk.Data);
        }

        Assert.Equal(data, read);
        Assert.Empty(await _files.ListAsync());
        Assert.Equal(StatusCode.NotFound, (await Assert.ThrowsAsync<RpcException>(() => _files.BytesAsync(id))).StatusCode);
        await Assert.ThrowsAsync<RpcException>(async () => await _files.Handler.DeleteFile(new() { FileId = id }, call));
        await Assert.ThrowsAsync<RpcException>(() => _files.GetUploadAsync("up"));
    }

    [Fact]
    public async Task A_client_that_leaves_early_closes_the_file()
    {
        var id = (await _files.UploadAsync(Chunk(Bytes(100), "a"))).FileId;
        using var call = new TestCall();
        await foreach (var _ in _files.Handler.DownloadFile(new() { FileId = id, ChunkBytes = 1 }, call).WithCancellation(Stop)) break;
        using var exclusive = File.Open(Path.Combine(_files.Folder, id), FileMode.Open, FileAccess.ReadWrite, FileShare.None);
        Assert.Equal(100, exclusive.Length);
    }

    [Fact]
    public async Task Files_are_listed_oldest_first_over_pages()
    {
        for (var i = 0; i < 300; i++) await _files.UploadAsync(Chunk([], $"f{i % 2}"));
        var all = await _files.ListAsync();
        Assert.Equal(Enumerable.Range(0, 300).Select(i => $"f{i % 2}"), all.Select(file => file.FileName));
        Assert.Equal(300, all.Select(file => file.FileId).Distinct().Count());
        Assert.Equal(150, (await _files.ListAsync("f1")).Length);
        Assert.Empty(await _files.ListAsync("f2"));
    }
}
