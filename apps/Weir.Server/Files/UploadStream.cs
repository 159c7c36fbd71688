using Weir.Rpc;
using Weir.V1;

namespace Weir.Server.Files;

/// <summary>One stream of chunks on its way to the disk. The end of the stream completes the upload; an exception from it never does.</summary>
/// <param name="store">Where it goes.</param>
/// <param name="chunks">The stream, at its first chunk.</param>
/// <param name="uploadId">The client's id of an upload that stays when the stream breaks; null for one that does not.</param>
sealed class UploadStream(FileStore store, IAsyncEnumerator<FileChunk> chunks, string? uploadId)
{
    public async Task<UploadResponse> RunAsync(CancellationToken cancellationToken)
    {
        var first = chunks.Current;
        var upload = uploadId is null ? null : store.FindUpload(uploadId);
        if (upload is { IsCompleted: true })
        {
            var file = store.FindFile(upload.FileId) ?? throw Download.NoFile(upload.FileId);
            return Answer(file.Id, file.Size, file.Sha256);
        }

        // A label that comes again on resuming must be the same one.
        if (upload is null || first.FileName.Length != 0) FileRules.CheckFileName(first.FileName);
        if (upload is not null && first.FileName.Length != 0 && first.FileName != upload.Name)
            throw FileRules.Invalid($"upload '{uploadId}' has the file_name '{upload.Name}', got '{first.FileName}'");
        var offset = FirstOffset(first, upload is null ? 0 : store.StoredBytes(upload));
        upload ??= store.BeginUpload(uploadId, first.FileName);
        var stays = uploadId is not null;
        var received = false;
        try
        {
            var (size, sha256) = await ReceiveAsync(upload, offset, cancellationToken);
            received = true;
            store.CompleteUpload(upload, size, sha256);
            return Answer(upload.FileId, size, sha256);
        }
        catch (RpcException e) when (e.StatusCode == StatusCode.DataLoss)
        {
            stays = false; // the stored bytes are wrong: going on after them cannot help
            throw;
        }
        catch (IOException e) when (DiskSpace.IsUsedUp(e))
        {
            throw new RpcException(new Status(StatusCode.ResourceExhausted, "the server's disk is full"), innerException: e);
        }
        finally
        {
            if (!received && !stays) store.DropUpload(upload);
        }
    }

    /// <summary>
    /// Where the stream goes on. A stream may begin before the end of what is stored (its client asked while an older stream was still
    /// writing): what comes after that place is replaced. It may not leave a gap.
    /// </summary>
    static long? FirstOffset(FileChunk first, long stored)
    {
        if (!first.HasOffset) return null;
        if (first.Offset < 0 || first.Offset > stored) throw FileRules.Invalid($"offset {stored} expected, got {first.Offset}");
        return first.Offset;
    }

    async Task<(long Size, string Sha256)> ReceiveAsync(UploadRecord upload, long? offset, CancellationToken cancellationToken)
    {
        var rules = new UploadRules(store.MaxFileBytes);
        await using var part = await store.OpenPartAsync(upload, offset, cancellationToken);
        do
        {
            var chunk = chunks.Current;
            if (uploadId is not null && chunk.UploadId.Length != 0 && chunk.UploadId != uploadId)
                throw FileRules.Invalid($"upload_id '{uploadId}' expected, got '{chunk.UploadId}'");
            rules.Check(chunk, part.Position);
            await part.AppendAsync(chunk.Data.Memory, cancellationToken);
        }
        while (await chunks.MoveNextAsync());

        rules.CheckSize(part.Position);
        var sha256 = await part.FinishAsync(cancellationToken);
        rules.CheckHash(sha256);
        return (part.Position, sha256);
    }

    static UploadResponse Answer(string fileId, long size, string sha256) =>
        new() { FileId = fileId, TotalSize = size, Sha256 = sha256, Message = $"stored {size} bytes" };
}
