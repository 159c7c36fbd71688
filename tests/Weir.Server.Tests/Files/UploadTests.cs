using Weir.Rpc;
using static Weir.Server.Tests.Files.FilesFixture;

namespace Weir.Server.Tests.Files;

public sealed class UploadTests : IDisposable
{
    readonly FilesFixture _files = new();

    public void Dispose() => _files.Dispose();

    [Fact]
    public async Task Chunks_become_a_file_whose_size_and_hash_are_answered()
    {
        var data = Bytes(300_000);
        var done = await _files.UploadAsync(
            Chunk(data.AsSpan(0, 10), "a.bin", number: 1, total: data.Length),
            Chunk(data.AsSpan(10, 200_000), number: 2, offset: 10),
            Chunk(data.AsSpan(200_010, 7), number: 3),
            Chunk(data.AsSpan(200_017), number: 4, sha256: Sha256(data).ToUpperInvariant()));
        Assert.Equal((data.Length, Sha256(data), "stored 300000 bytes"), (done.TotalSize, done.Sha256, done.Message));
        Assert.Equal(data, await _files.BytesAsync(done.FileId));
        Assert.Equal(data, await File.ReadAllBytesAsync(Path.Combine(_files.Folder, done.FileId), Stop));
        Assert.Empty(_files.Parts);
        _files.Restart();
        var info = Assert.Single(await _files.ListAsync());
        Assert.Equal((done.FileId, "a.bin", data.Length, Sha256(data)), (info.FileId, info.FileName, info.Size, info.Sha256));
        Assert.Equal(_files.Time.GetUtcNow().ToUnixTimeSeconds(), info.CreatedAt);
    }

    [Fact]
    public async Task An_empty_file_is_a_file()
    {
        var done = await _files.UploadAsync(Chunk([], "empty"));
        Assert.Equal((0, Sha256([])), (done.TotalSize, done.Sha256));
        var chunk = Assert.Single(await _files.DownloadAsync(new() { FileId = done.FileId }));
        Assert.Equal(("empty", 0, 0, Sha256([])), (chunk.FileName, chunk.Data.Length, chunk.TotalSize, chunk.Sha256));
    }

    [Theory]
    [InlineData(new[] { 0, 0, 0 }, null)]
    [InlineData(new[] { 0, 1, 2 }, null)]
    [InlineData(new[] { 1, 2, 3 }, null)]
    [InlineData(new[] { 2 }, "chunk 0 or 1 expected, got 2")]
    [InlineData(new[] { -1 }, "chunk 0 or 1 expected, got -1")]
    [InlineData(new[] { 0, 2 }, "chunk 1 expected, got 2")]
    [InlineData(new[] { 0, 0, 1 }, "chunk 0 expected (the chunks before it are not numbered), got 1")]
    [InlineData(new[] { 1, 2, 4 }, "chunk 3 expected, got 4")]
    [InlineData(new[] { 1, 2, 2 }, "chunk 3 expected, got 2")]
    [InlineData(new[] { 1, 1 }, "chunk 2 expected, got 1")]
    [InlineData(new[] { 0, 1, 0 }, "chunk 2 expected, got 0")]
    public async Task Chunk_numbers_count_up_by_one_from_0_or_1_or_are_all_zero(int[] numbers, string? refusal)
    {
        var chunks = numbers.Select(number => Chunk([1], "a", number: number)).ToArray();
        if (refusal is null)
        {
            Assert.Equal(numbers.Length, (await _files.UploadAsync(chunks)).TotalSize);
            return;
        }

        Assert.Equal(new Status(StatusCode.InvalidArgument, refusal), (await _files.RefusedAsync(chunks)).Status);
        Assert.Empty(_files.Parts);
        Assert.Empty(await _files.ListAsync());
        Assert.Equal(1, (await _files.UploadAsync(Chunk([1], "b"))).TotalSize);
    }

    [Fact]
    public async Task What_was_announced_is_checked_and_both_values_are_named()
    {
        var ten = Bytes(10);
        await Refused("an upload begins with a chunk that has a file_name, got no chunk");
        await Refused("file_name has 0 characters, 1 to 255 are allowed", Chunk(ten));
        await Refused("file_name has 256 characters, 1 to 255 are allowed", Chunk(ten, new string('n', 256)));
        await Refused("file_name has the control character U+000A", Chunk(ten, "a\nb"));
        await Refused("upload_id has the character U+002F, [A-Za-z0-9._-] are allowed", Chunk(ten, "a", "../x"));
        await Refused("upload_id has 65 characters, 1 to 64 are allowed", Chunk(ten, "a", new string('i', 65)));
        await Refused("offset 0 expected, got 4096", Chunk(ten, "a", offset: 4096));
        await Refused("offset 10 expected, got 11", Chunk(ten, "a"), Chunk(ten, offset: 11));
        await Refused("total_size is 9, got 10 bytes", Chunk(ten, "a", total: 9));
        await Refused("total_size is 11, got 10 bytes", Chunk(ten, "a", total: 11));
        await Refused("total_size is -1, 0 or more is allowed", Chunk(ten, "a", total: -1));
        await Refused("total_size was 10 before, got 11", Chunk(ten, "a", total: 10), Chunk([], total: 11));
        await Refused("sha256 must be 64 hex digits, got 'abc' (3 characters)", Chunk(ten, "a", sha256: "abc"));
        await Refused($"sha256 was {Sha256([])} before, got {Sha256(ten)}", Chunk(ten, "a", sha256: Sha256([])), Chunk([], sha256: Sha256(ten)));
        await Refused("upload_id 'x' expected, got 'y'", Chunk(ten, "a", "x"), Chunk(ten, id: "y"));

        var lost = await _files.RefusedAsync(Chunk(ten, "a", sha256: Sha256([])));
        Assert.Equal(new Status(StatusCode.DataLoss, $"sha256 {Sha256([])} expected, got {Sha256(ten)}"), lost.Status);
        _files.Restart(maxFileBytes: 19);
        var large = await _files.RefusedAsync(Chunk(ten, "a"), Chunk(ten));
        Assert.Equal(new Status(StatusCode.ResourceExhausted, "the file has at least 20 bytes, at most 19 are allowed"), large.Status);
        Assert.Empty(await _files.ListAsync());

        async Task Refused(string detail, params V1.FileChunk[] chunks) =>
            Assert.Equal(new Status(StatusCode.InvalidArgument, detail), (await _files.RefusedAsync(chunks)).Status);
    }

    [Fact]
    public async Task A_name_that_looks_like_a_path_stays_a_label()
    {
        var done = await _files.UploadAsync(Chunk([1], "../../etc/passwd"));
        Assert.Equal("../../etc/passwd", Assert.Single(await _files.ListAsync("../../etc/passwd")).FileName);
        Assert.True(File.Exists(Path.Combine(_files.Folder, done.FileId)));
        var dots = await _files.UploadAsync(Chunk([2], "b", ".."));
        Assert.Equal(new byte[] { 2 }, await _files.BytesAsync(dots.FileId));
        var e = await Assert.ThrowsAsync<RpcException>(() => _files.DownloadAsync(new() { FileId = "../files/files.db" }));
        Assert.Equal(StatusCode.NotFound, e.StatusCode);
    }

    [Fact]
    public async Task A_broken_upload_without_an_id_leaves_nothing()
    {
        await _files.BreakAsync(Chunk(Bytes(100_000), "a"));
        Assert.Empty(_files.Parts);
        Assert.Empty(await _files.ListAsync());
    }

    [Fact]
    public async Task Uploads_at_the_same_time_do_not_touch_each_other()
    {
        var uploads = Enumerable.Range(0, 8).Select(async seed =>
        {
            var data = Bytes(200_000, seed);
            var done = await _files.UploadAsync([.. data.Chunk(9_000).Select(piece => Chunk(piece, "same"))]);
            return (data, done);
        });
        foreach (var (data, done) in await Task.WhenAll(uploads)) Assert.Equal(data, await _files.BytesAsync(done.FileId));
        Assert.Equal(8, (await _files.ListAsync("same")).Length);
    }
}
