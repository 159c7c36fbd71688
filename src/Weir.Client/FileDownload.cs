using Weir.V1;

namespace Weir.Client;

/// <summary>One download with all its attempts. Each attempt asks for what the part does not hold yet. Memory: the chunks that
/// <see cref="PartWriter"/> holds.</summary>
internal sealed class FileDownload(CallInvoker channel, string fileId, string destination, DownloadOptions options)
{
    private readonly FileService.Client _files = new(channel);
    private readonly Reconnect _reconnect = new(channel, options.Reconnect);
    private long _resumedAt;
    private FileChunk? _head; // the first chunk of any attempt: name, size and hash of the file

    /// <exception cref="IOException">The destination is there already, or another download to it runs.</exception>
    public async Task<DownloadResult> RunAsync(CancellationToken cancellationToken)
    {
        if (!options.Overwrite && Path.Exists(destination))
            throw new IOException($"{destination} is there already.");
        var part = new PartFile(destination, fileId);
        await using var _ = part.ConfigureAwait(false);
        try
        {
            await part.LoadAsync(cancellationToken).ConfigureAwait(false);
            _resumedAt = part.Length;
            await _reconnect.RunAsync(stop => AttemptAsync(part, stop), cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            // A refused download (no such file, no server) leaves no trace.
            if (part.Length == 0 && _head is null)
                File.Delete(part.Path);
        }

        Verify(part, _head!);
        part.MoveTo(destination, options.Overwrite);
        return new DownloadResult(fileId, _head!.FileName, destination, part.Length, part.Sha256, _resumedAt);
    }

    private async Task<bool> AttemptAsync(PartFile part, CancellationToken cancellationToken)
    {
        var request = new DownloadFileRequest { FileId = fileId, Offset = part.Length, ChunkBytes = options.ChunkBytes };
        // Disposed after the call, it has then written all that came, whatever ended the attempt.
        var writer = new PartWriter(part);
        await using var _ = writer.ConfigureAwait(false);
        var first = true;
        var received = part.Length;
        var call = _files.DownloadFile(request, cancellationToken: cancellationToken);
        await foreach (var chunk in call.WithCancellation(cancellationToken).ConfigureAwait(false))
        {
            if (first)
                CheckHead(chunk);
            first = false;
            if (chunk.HasOffset && chunk.Offset != received)
                throw new InvalidDataException($"The server sent bytes at {chunk.Offset}, asked for were those at {received}.");
            await writer.WriteAsync(chunk.Data).ConfigureAwait(false);
            received += chunk.Data.Length;
            _reconnect.Progress();
            options.Progress?.Report(new TransferProgress(received, _head!.TotalSize, _resumedAt));
        }

        return first ? throw new InvalidDataException("The server sent nothing, not even the size of the file.") : true;
    }

    /// <summary>A file never changes under its id; if the server says otherwise, what is here cannot be continued.</summary>
    private void CheckHead(FileChunk head)
    {
        if (_head is not null && (head.TotalSize != _head.TotalSize || head.Sha256 != _head.Sha256))
            throw new InvalidDataException($"The file {fileId} changed on the server from {_head.TotalSize} to {head.TotalSize} bytes during the download.");
        _head = head;
    }

    private static void Verify(PartFile part, FileChunk head)
    {
        if (part.Length == head.TotalSize && part.Sha256 == head.Sha256)
            return;
        var message = $"Received {part.Length} bytes with SHA-256 {part.Sha256}, the server has {head.TotalSize} with {head.Sha256}; the part was deleted.";
        part.Clear();
        File.Delete(part.Path);
        throw new InvalidDataException(message);
    }
}
