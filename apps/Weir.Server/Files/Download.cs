using System.Runtime.CompilerServices;
using Google.Protobuf;
using Microsoft.Win32.SafeHandles;
using Weir.Rpc;
using Weir.V1;

namespace Weir.Server.Files;

/// <summary>One file, or a piece of it, on its way to a client. At most one chunk is read ahead of the one being sent.</summary>
sealed class Download(FileStore store, DownloadFileRequest request)
{
    const int DefaultChunkBytes = 64 * 1024;
    const int MaxChunkBytes = 1024 * 1024;

    public async IAsyncEnumerable<FileChunk> ReadAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var chunkBytes = ChunkBytes();
        var file = store.FindFile(request.FileId) ?? throw NoFile(request.FileId);
        var end = End(file.Size);
        using var handle = store.OpenFile(file) ?? throw NoFile(request.FileId);
        var position = request.Offset;
        var number = 0;
        var ahead = Task.FromResult<ReadOnlyMemory<byte>>(default);
        try
        {
            ahead = ReadChunkAsync(handle, position, Math.Min(chunkBytes, end - position), cancellationToken);
            do
            {
                var data = await ahead;
                var chunk = new FileChunk { Data = UnsafeByteOperations.UnsafeWrap(data), Offset = position, ChunkNumber = unchecked(++number) };
                if (number == 1)
                {
                    chunk.FileName = file.Name;
                    chunk.TotalSize = file.Size;
                    chunk.Sha256 = file.Sha256;
                }

                position += data.Length;
                if (position < end) ahead = ReadChunkAsync(handle, position, Math.Min(chunkBytes, end - position), cancellationToken);
                yield return chunk;
            }
            while (position < end);
        }
        finally
        {
            // A client that leaves early: the file is closed after the read that is under way, whatever became of it.
            await Task.WhenAny(ahead);
        }
    }

    public static RpcException NoFile(string id) => new(StatusCode.NotFound, $"there is no file '{id}'");

    static async Task<ReadOnlyMemory<byte>> ReadChunkAsync(SafeFileHandle handle, long position, long bytes, CancellationToken cancellationToken)
    {
        // A buffer of its own for each chunk: the message that wraps it may be in the connection's hands longer than in ours.
        var buffer = GC.AllocateUninitializedArray<byte>((int)bytes);
        var filled = 0;
        while (filled < buffer.Length)
        {
            var read = await RandomAccess.ReadAsync(handle, buffer.AsMemory(filled), position + filled, cancellationToken);
            if (read == 0) throw new RpcException(StatusCode.DataLoss, $"the file ends after {position + filled} bytes, {position + bytes} expected");
            filled += read;
        }

        return buffer;
    }

    int ChunkBytes() => request.ChunkBytes switch
    {
        0 => DefaultChunkBytes,
        < 0 or > MaxChunkBytes => throw FileRules.Invalid($"chunk_bytes is {request.ChunkBytes}, 1 to {MaxChunkBytes} are allowed (0 for {DefaultChunkBytes})"),
        var bytes => bytes,
    };

    long End(long size)
    {
        if (request.Offset < 0) throw FileRules.Invalid($"offset is {request.Offset}, 0 to {size} are allowed");
        if (request.Length < 0) throw FileRules.Invalid($"length is {request.Length}, 0 or more is allowed");
        if (request.Offset > size) throw new RpcException(StatusCode.OutOfRange, $"offset is {request.Offset}, the file has {size} bytes");
        return request.Length == 0 ? size : request.Offset + Math.Min(request.Length, size - request.Offset);
    }
}
