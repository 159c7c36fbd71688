using Google.Protobuf;
using Weir.V1;

namespace Weir.Client;

/// <summary>One upload with all its attempts. Each attempt asks the server how far it got and sends the rest. Memory: two
/// blocks, one that is sent while the other is read and hashed.</summary>
internal sealed class FileUpload : IDisposable
{
    // Reads of this size cost little beside the system call and the hop to another thread.
    private const int BlockBytes = 1024 * 1024;

    private readonly FileService.Client _files;
    private readonly Stream _source;
    private readonly long _size;
    private readonly string _name;
    private readonly string _id;
    private readonly UploadOptions _options;
    private readonly Reconnect _reconnect;
    private readonly PrefixHash _hash = new();
    private byte[] _block; // holds what is sent
    private byte[] _nextBlock; // holds what is read meanwhile
    private long _resumedAt = -1;
    private long _stored;

    public FileUpload(CallInvoker channel, Stream source, string name, string id, UploadOptions options)
    {
        _files = new FileService.Client(channel);
        _source = source;
        _size = source.Length;
        _name = name;
        _id = id;
        _options = options;
        _reconnect = new Reconnect(channel, options.Reconnect);
        // Whole chunks only, so that the last chunk alone may be short.
        var blockBytes = Math.Max(1, BlockBytes / options.ChunkBytes) * options.ChunkBytes;
        _block = GC.AllocateUninitializedArray<byte>(blockBytes);
        _nextBlock = GC.AllocateUninitializedArray<byte>(blockBytes);
    }

    public Task<UploadResult> RunAsync(CancellationToken cancellationToken) => _reconnect.RunAsync(AttemptAsync, cancellationToken);

    public void Dispose() => _hash.Dispose();

    private async Task<UploadResult> AttemptAsync(CancellationToken cancellationToken)
    {
        var upload = await AskAsync(cancellationToken).ConfigureAwait(false);
        if (upload.Offset > _size)
            throw new InvalidDataException($"The server holds {upload.Offset} bytes of the upload \"{_id}\", the file has {_size}: it is not the same file.");
        if (upload.Offset > _stored)
            _reconnect.Progress();
        _stored = upload.Offset;
        if (_resumedAt < 0)
            _resumedAt = upload.Offset;
        Report(upload.Offset);

        await _hash.CatchUpAsync(_source, upload.Offset, _block, cancellationToken).ConfigureAwait(false);
        if (upload.Completed)
            return Finish(upload.FileId, _size, upload.Sha256);
        var response = await SendAsync(upload.Offset, cancellationToken).ConfigureAwait(false);
        return Finish(response.FileId, response.TotalSize, response.Sha256);
    }

    private async Task<Upload> AskAsync(CancellationToken cancellationToken)
    {
        try
        {
            var upload = await _files.GetUpload(new GetUploadRequest { UploadId = _id }, cancellationToken: cancellationToken);
            _reconnect.Contact();
            return upload;
        }
        catch (RpcException e) when (e.StatusCode == StatusCode.NotFound)
        {
            _reconnect.Contact();
            return new Upload { UploadId = _id };
        }
    }

    private async Task<UploadResponse> SendAsync(long offset, CancellationToken cancellationToken)
    {
        var call = _files.UploadFile(cancellationToken: cancellationToken);
        await using var _ = call.ConfigureAwait(false);
        var reading = ReadNextAsync(offset, cancellationToken);
        try
        {
            var first = true;
            do
            {
                var block = await reading.ConfigureAwait(false);
                (_block, _nextBlock) = (_nextBlock, _block);
                if (offset + block.Length < _size)
                    reading = ReadNextAsync(offset + block.Length, cancellationToken);
                await SendBlockAsync(call, block, offset, first, cancellationToken).ConfigureAwait(false);
                offset += block.Length;
                first = false;
            }
            while (offset < _size);
        }
        finally
        {
            // The next attempt has the same blocks and the same hash. A failure of this read belongs to the attempt's own, or comes again.
            await ((Task)reading).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        return await call.CompleteAsync(cancellationToken).ConfigureAwait(false);
    }

    private async Task SendBlockAsync(
        ClientStreamingCall<FileChunk, UploadResponse> call, ReadOnlyMemory<byte> block, long offset, bool first, CancellationToken cancellationToken)
    {
        do
        {
            var data = block[..Math.Min(block.Length, _options.ChunkBytes)];
            block = block[data.Length..];
            // The chunk lies in _block, which stays as it is until SendAsync has returned: by then the message is serialised.
            var chunk = new FileChunk { Data = UnsafeByteOperations.UnsafeWrap(data), Offset = offset };
            if (first)
            {
                chunk.FileName = _name;
                chunk.UploadId = _id;
                chunk.TotalSize = _size;
                first = false;
            }

            offset += data.Length;
            if (offset == _size)
                chunk.Sha256 = _hash.Current(); // nothing is read any more
            await call.SendAsync(chunk, cancellationToken).ConfigureAwait(false);
            Report(offset);
        }
        while (block.Length > 0);
    }

    /// <summary>Reads into _nextBlock what lies at an offset, and hashes it; empty at the end of the file. One read at a time.</summary>
    private async Task<ReadOnlyMemory<byte>> ReadNextAsync(long offset, CancellationToken cancellationToken)
    {
        var block = _nextBlock.AsMemory(0, (int)Math.Min(_nextBlock.Length, _size - offset));
        _source.Position = offset;
        var count = await _source.ReadAtLeastAsync(block, block.Length, throwOnEndOfStream: false, cancellationToken).ConfigureAwait(false);
        if (count < block.Length)
            throw new InvalidDataException($"The file ended at {offset + count} of {_size} bytes: it changed during the upload.");
        _hash.Append(offset, block.Span);
        return block;
    }

    private UploadResult Finish(string fileId, long size, string sha256)
    {
        if (size != _size || sha256 != _hash.Current())
        {
            throw new InvalidDataException(
                $"The server stored {size} bytes with SHA-256 {sha256}, the file has {_size} bytes with {_hash.Current()}: it changed during the upload.");
        }

        Report(_size);
        return new UploadResult(fileId, _name, _size, sha256, _resumedAt);
    }

    private void Report(long bytes) => _options.Progress?.Report(new TransferProgress(bytes, _size, _resumedAt));
}
