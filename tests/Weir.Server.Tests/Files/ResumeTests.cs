using System.Threading.Channels;
using Weir.Rpc;
using Weir.V1;
using static Weir.Server.Tests.Files.FilesFixture;

namespace Weir.Server.Tests.Files;

public sealed class ResumeTests : IDisposable
{
    readonly FilesFixture _files = new();

    public void Dispose() => _files.Dispose();

    [Fact]
    public async Task A_transfer_cut_at_any_byte_and_resumed_equals_the_uncut_one()
    {
        var data = Bytes(70);
        for (var cut = 0; cut <= data.Length; cut++)
        {
            var id = $"cut-{cut}";
            await _files.BreakAsync([.. data[..cut].Chunk(9).Prepend([]).Select(piece => Chunk(piece, "a", id, total: data.Length))]);
            if (cut % 10 == 0) _files.Restart();
            var upload = await _files.GetUploadAsync(id);
            Assert.Equal((cut, false), (upload.Offset, upload.Completed));
            var done = await _files.UploadAsync(Chunk(data.AsSpan(cut), "a", id, offset: upload.Offset, total: data.Length, sha256: Sha256(data)));
            Assert.Equal(Sha256(data), done.Sha256);
            Assert.Equal(data, await _files.BytesAsync(done.FileId));
        }
    }

    [Fact]
    public async Task A_part_of_any_length_that_a_killed_process_left_is_gone_on_with()
    {
        var data = Bytes(200_000);
        await _files.BreakAsync(Chunk(data, "a", "torn"));
        foreach (var length in new[] { 150_000, 65_536, 1, 0 })
        {
            using (var part = File.OpenHandle(Assert.Single(_files.Parts), FileMode.Open, FileAccess.Write)) RandomAccess.SetLength(part, length);
            _files.Restart();
            Assert.Equal(length, (await _files.GetUploadAsync("torn")).Offset);
        }

        File.Delete(Assert.Single(_files.Parts));
        _files.Restart();
        Assert.Equal(0, (await _files.GetUploadAsync("torn")).Offset);
        Assert.Equal(Sha256(data), (await _files.UploadAsync(Chunk(data, "a", "torn", offset: 0))).Sha256);
    }

    [Fact]
    public async Task A_client_that_lost_the_answer_gets_it_again()
    {
        var done = await _files.UploadAsync(Chunk([1, 2, 3], "a", "once"));
        _files.Restart();
        Assert.Equal(done, await _files.UploadAsync(Chunk([], id: "once", offset: 3)));
        var upload = await _files.GetUploadAsync("once");
        Assert.Equal((3, true, done.FileId, done.Sha256), (upload.Offset, upload.Completed, upload.FileId, upload.Sha256));
        Assert.Single(await _files.ListAsync());
    }

    [Fact]
    public async Task A_process_killed_between_the_rename_and_the_index_goes_on_at_the_end()
    {
        await _files.BreakAsync(Chunk([1, 2, 3], "a", "renamed"));
        var part = Assert.Single(_files.Parts);
        File.Move(part, Path.Combine(_files.Folder, Path.GetFileNameWithoutExtension(part)));
        _files.Restart();
        Assert.Equal(3, (await _files.GetUploadAsync("renamed")).Offset);
        Assert.Equal(3, (await _files.UploadAsync(Chunk([], id: "renamed", offset: 3))).TotalSize);
    }

    [Fact]
    public async Task A_stream_may_go_back_but_not_leave_a_gap_and_the_name_stays()
    {
        await _files.BreakAsync(Chunk([1, 2, 3, 4], "a", "back"));
        Assert.Equal("InvalidArgument: offset 4 expected, got 5", (await _files.RefusedAsync(Chunk([9], id: "back", offset: 5))).Message);
        Assert.Equal("InvalidArgument: upload 'back' has the file_name 'a', got 'b'", (await _files.RefusedAsync(Chunk([9], "b", "back"))).Message);
        var done = await _files.UploadAsync(Chunk([7], id: "back", offset: 2), Chunk([8], offset: 3));
        Assert.Equal(new byte[] { 1, 2, 7, 8 }, await _files.BytesAsync(done.FileId));
    }

    [Fact]
    public async Task Wrong_bytes_are_thrown_away_and_the_id_begins_anew()
    {
        await _files.RefusedAsync(Chunk([1], "a", "wrong", sha256: Sha256([2])));
        Assert.Empty(_files.Parts);
        var e = await Assert.ThrowsAsync<RpcException>(() => _files.GetUploadAsync("wrong"));
        Assert.Equal(new Status(StatusCode.NotFound, "there is no upload 'wrong'"), e.Status);
        Assert.Equal(1, (await _files.UploadAsync(Chunk([2], "a", "wrong", sha256: Sha256([2])))).TotalSize);
    }

    [Fact]
    public async Task A_newer_stream_takes_over_and_the_older_one_is_Aborted()
    {
        using var call = new TestCall();
        var older = Channel.CreateBounded<FileChunk>(4);
        var written = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var ending = _files.Handler.UploadFile(Telling(written, older.Reader.ReadAllAsync(CancellationToken.None), CancellationToken.None), call).AsTask();
        await older.Writer.WriteAsync(Chunk([1, 2, 3], "a", "taken"), Stop);
        await written.Task.WaitAsync(Stop);

        var done = await _files.UploadAsync(Chunk([4], id: "taken"));
        var e = await Assert.ThrowsAsync<RpcException>(() => ending);
        Assert.Equal(new Status(StatusCode.Aborted, "a newer stream has taken over upload 'taken'"), e.Status);
        Assert.Equal(new byte[] { 1, 2, 3, 4 }, await _files.BytesAsync(done.FileId));
    }

    [Fact]
    public async Task A_cancelled_call_keeps_what_came_and_ends_as_cancelled()
    {
        using var call = new TestCall();
        var chunks = Channel.CreateBounded<FileChunk>(4);
        var written = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var ending = _files.Handler.UploadFile(Telling(written, chunks.Reader.ReadAllAsync(CancellationToken.None), CancellationToken.None), call).AsTask();
        await chunks.Writer.WriteAsync(Chunk([1, 2, 3], "a", "left"), Stop);
        await written.Task.WaitAsync(Stop); // its file alone says nothing of the bytes
        call.Cancel();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => ending);
        Assert.Empty(await _files.ListAsync());
        Assert.Equal(3, (await _files.GetUploadAsync("left")).Offset);
    }

    [Fact]
    public async Task Uploads_that_nobody_goes_on_with_are_removed_at_the_start_after_the_time_set()
    {
        await _files.BreakAsync(Chunk([1], "a", "stale"));
        await _files.UploadAsync(Chunk([1], "b", "answered"));
        File.WriteAllBytes(Path.Combine(_files.Folder, "uploads", "nobodys.part"), [1]);
        _files.Time.Advance(TimeSpan.FromDays(6));
        _files.Restart();
        Assert.Single(_files.Parts);
        _files.Time.Advance(TimeSpan.FromDays(2));
        _files.Restart();
        Assert.Empty(_files.Parts);
        await Assert.ThrowsAsync<RpcException>(() => _files.GetUploadAsync("stale"));
        await Assert.ThrowsAsync<RpcException>(() => _files.GetUploadAsync("answered"));
        Assert.Equal("b", Assert.Single(await _files.ListAsync()).FileName);
    }

    /// <summary>Gives the chunks on, and tells when the handler has asked beyond the first: that one is written.</summary>
    static async IAsyncEnumerable<FileChunk> Telling(
        TaskCompletionSource written, IAsyncEnumerable<FileChunk> chunks, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (var chunk in chunks.WithCancellation(cancellationToken))
        {
            yield return chunk;
            written.TrySetResult();
        }
    }
}
