using Weir.Rpc;
using Weir.V1;

namespace Weir.Server.Files;

/// <summary>The file calls: files as streams onto and off the disk, in constant memory.</summary>
sealed class FilesHandler(FileStore store, ActiveUploads active) : FileService.Server
{
    public override async ValueTask<UploadResponse> UploadFile(IAsyncEnumerable<FileChunk> requests, ServerCall call)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(call.CancellationToken);
        await using var chunks = requests.GetAsyncEnumerator(stop.Token);
        if (!await chunks.MoveNextAsync()) throw FileRules.Invalid("an upload begins with a chunk that has a file_name, got no chunk");
        var uploadId = chunks.Current.UploadId;
        if (uploadId.Length == 0) return await new UploadStream(store, chunks, uploadId: null).RunAsync(stop.Token);

        FileRules.CheckUploadId(uploadId);
        using var lease = await active.TakeAsync(uploadId, stop, call.CancellationToken);
        try
        {
            return await new UploadStream(store, chunks, uploadId).RunAsync(stop.Token);
        }
        catch (OperationCanceledException) when (lease.IsTaken && !call.CancellationToken.IsCancellationRequested)
        {
            throw new RpcException(StatusCode.Aborted, $"a newer stream has taken over upload '{uploadId}'");
        }
    }

    public override ValueTask<Upload> GetUpload(GetUploadRequest request, ServerCall call)
    {
        FileRules.CheckUploadId(request.UploadId);
        var upload = store.FindUpload(request.UploadId) ?? throw new RpcException(StatusCode.NotFound, $"there is no upload '{request.UploadId}'");
        var answer = new Upload { UploadId = request.UploadId, Completed = upload.IsCompleted };
        if (upload.IsCompleted && store.FindFile(upload.FileId) is { } file)
        {
            answer.Offset = file.Size;
            answer.FileId = file.Id;
            answer.Sha256 = file.Sha256;
        }
        else
        {
            answer.Offset = store.StoredBytes(upload);
        }

        return ValueTask.FromResult(answer);
    }

    public override IAsyncEnumerable<FileChunk> DownloadFile(DownloadFileRequest request, ServerCall call) =>
        new Download(store, request).ReadAsync(call.CancellationToken);

    public override IAsyncEnumerable<V1.FileInfo> ListFiles(ListFilesRequest request, ServerCall call) =>
        List(request.FileName, call.CancellationToken).ToAsyncEnumerable();

    public override ValueTask<DeleteFileResponse> DeleteFile(DeleteFileRequest request, ServerCall call) =>
        store.DeleteFile(request.FileId)
            ? ValueTask.FromResult(new DeleteFileResponse())
            : throw Download.NoFile(request.FileId);

    // A page at a time is in memory, whatever their number.
    IEnumerable<V1.FileInfo> List(string name, CancellationToken cancellationToken)
    {
        long last = 0;
        while (store.ListFiles(last, name) is { Count: > 0 } page)
        {
            foreach (var file in page)
            {
                cancellationToken.ThrowIfCancellationRequested();
                yield return new V1.FileInfo
                {
                    FileId = file.Id,
                    FileName = file.Name,
                    Size = file.Size,
                    Sha256 = file.Sha256,
                    CreatedAt = file.CreatedAt,
                };
            }

            last = page[^1].Number;
        }
    }
}
