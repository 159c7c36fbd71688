using System.Security.Cryptography;
using Microsoft.Win32.SafeHandles;
using Weir.Http2;

namespace Weir.Server.Files;

/// <summary>
/// The bytes of an upload in progress. The file's size on disk is the upload's offset; there is no second record of it.
/// Large chunks are written from where they lie and hashed meanwhile; small ones gather in one buffer first. One writer at a time.
/// </summary>
sealed class PartFile : IAsyncDisposable
{
    const int GatherBytes = 64 * 1024;    // chunks below half of it are gathered
    const int RehashBytes = 1024 * 1024;  // one read of what an earlier stream has written

    readonly SafeFileHandle _file;
    readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    byte[]? _gathered;
    int _gatheredBytes;
    long _writtenBytes;
    bool _ended; // finished or failed: nothing is left to write

    PartFile(SafeFileHandle file) => _file = file;

    /// <summary>How many bytes the upload has.</summary>
    public long Position => _writtenBytes + _gatheredBytes;

    /// <summary>Opens or creates a part to append to, and hashes what it has.</summary>
    /// <param name="path">Where it is.</param>
    /// <param name="offset">How many of its bytes to keep; null means all. It must have as many.</param>
    /// <param name="cancellationToken">Ends the hashing.</param>
    public static async Task<PartFile> OpenAsync(string path, long? offset, CancellationToken cancellationToken)
    {
        var part = new PartFile(File.OpenHandle(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read));
        try
        {
            await part.RehashAsync(offset, cancellationToken);
            return part;
        }
        catch
        {
            part._ended = true;
            await part.DisposeAsync();
            throw;
        }
    }

    /// <summary>Appends bytes, which may be reused once the task is done.</summary>
    public ValueTask AppendAsync(ReadOnlyMemory<byte> data, CancellationToken cancellationToken)
    {
        if (data.Length >= GatherBytes / 2) return WriteAsync(data, cancellationToken);
        _gathered ??= GC.AllocateUninitializedArray<byte>(GatherBytes);
        if (data.Length > GatherBytes - _gatheredBytes) return GatherAfterFlushAsync(data, cancellationToken);
        data.Span.CopyTo(_gathered.AsSpan(_gatheredBytes));
        _gatheredBytes += data.Length;
        return ValueTask.CompletedTask;
    }

    /// <summary>Writes what is left to the disk itself and gives the SHA-256 of the whole file, in lower-case hex.</summary>
    public async ValueTask<string> FinishAsync(CancellationToken cancellationToken)
    {
        await FlushAsync(cancellationToken);
        RandomAccess.FlushToDisk(_file); // blocks the thread: on another of the pool it would do the same
        _ended = true;
        return Convert.ToHexStringLower(_hash.GetHashAndReset());
    }

    /// <summary>Closes the file. What was gathered is written first, so that a stream that broke goes on after its last byte.</summary>
    public async ValueTask DisposeAsync()
    {
        try
        {
            if (!_ended) await FlushAsync(CancellationToken.None);
        }
        finally
        {
            _file.Dispose();
            _hash.Dispose();
        }
    }

    async ValueTask WriteAsync(ReadOnlyMemory<byte> data, CancellationToken cancellationToken)
    {
        await FlushAsync(cancellationToken);
        await WriteAndHashAsync(data, cancellationToken);
    }

    async ValueTask GatherAfterFlushAsync(ReadOnlyMemory<byte> data, CancellationToken cancellationToken)
    {
        await FlushAsync(cancellationToken);
        data.Span.CopyTo(_gathered);
        _gatheredBytes = data.Length;
    }

    async ValueTask FlushAsync(CancellationToken cancellationToken)
    {
        if (_gatheredBytes == 0) return;
        var bytes = _gatheredBytes;
        _gatheredBytes = 0;
        await WriteAndHashAsync(_gathered.AsMemory(0, bytes), cancellationToken);
    }

    async ValueTask WriteAndHashAsync(ReadOnlyMemory<byte> data, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var failed = true;
        try
        {
            // The write runs on another thread while this one hashes: the two cost about the same.
            var write = RandomAccess.WriteAsync(_file, data, _writtenBytes, CancellationToken.None);
            _hash.AppendData(data.Span);
            await write;
            _writtenBytes += data.Length;
            failed = false;
        }
        finally
        {
            _ended |= failed;
        }
    }

    async Task RehashAsync(long? offset, CancellationToken cancellationToken)
    {
        var length = RandomAccess.GetLength(_file);
        var keep = offset ?? length;
        ArgumentOutOfRangeException.ThrowIfGreaterThan(keep, length, nameof(offset));
        if (keep < length) RandomAccess.SetLength(_file, keep);
        var buffer = OctetPool.Shared.Rent(RehashBytes);
        try
        {
            while (_writtenBytes < keep)
            {
                var read = await RandomAccess.ReadAsync(_file, buffer, _writtenBytes, cancellationToken);
                if (read == 0) throw new IOException($"The part ends after {_writtenBytes} bytes, its size is {keep}.");
                _hash.AppendData(buffer, 0, read);
                _writtenBytes += read;
            }
        }
        finally
        {
            OctetPool.Shared.Return(buffer);
        }
    }
}
