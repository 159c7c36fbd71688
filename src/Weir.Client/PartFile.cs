using System.Security.Cryptography;
using System.Text;

namespace Weir.Client;

/// <summary>What has come of a download so far, beside the destination. Its size is the offset to go on from, and its name holds which
/// file it belongs to, so there is no second truth to lose. Locked while open: two downloads do not mix.</summary>
internal sealed class PartFile : IAsyncDisposable
{
    private const int HashBufferBytes = 1024 * 1024;

    private readonly FileStream _stream;
    private PrefixHash _hash = new();

    public PartFile(string destination, string fileId)
    {
        Path = PathFor(destination, fileId);
        _stream = new FileStream(Path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, bufferSize: 0);
    }

    public string Path { get; }

    /// <summary>Bytes that are here.</summary>
    public long Length => _hash.Length;

    /// <summary>The SHA-256 of the bytes that are here, in lower-case hex.</summary>
    public string Sha256 => _hash.Current();

    /// <summary>The part of one file at one destination. The id is the server's word and may hold anything, so its hash stands in for it.</summary>
    public static string PathFor(string destination, string fileId) =>
        $"{destination}.{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(fileId)).AsSpan(0, 6))}.weir-part";

    /// <summary>Takes up what an earlier run has left. Before anything else, once.</summary>
    public Task LoadAsync(CancellationToken cancellationToken) =>
        _hash.CatchUpAsync(_stream, _stream.Length, new byte[Math.Min(HashBufferBytes, Math.Max(1, _stream.Length))], cancellationToken);

    /// <summary>Adds bytes at the end. The write is synchronous: it goes to the page cache, and a hop to another thread costs more.</summary>
    public void Append(ReadOnlySpan<byte> bytes)
    {
        RandomAccess.Write(_stream.SafeFileHandle, bytes, Length);
        _hash.Append(Length, bytes);
    }

    /// <summary>Starts over with nothing.</summary>
    public void Clear()
    {
        _stream.SetLength(0);
        _hash.Dispose();
        _hash = new PrefixHash();
    }

    /// <summary>Brings the bytes to the disk and the file to its destination, in one step that others see whole or not at all.</summary>
    public void MoveTo(string destination, bool overwrite)
    {
        RandomAccess.FlushToDisk(_stream.SafeFileHandle);
        File.Move(Path, destination, overwrite);
        FolderSync.Flush(System.IO.Path.GetDirectoryName(destination)!);
    }

    public async ValueTask DisposeAsync()
    {
        await _stream.DisposeAsync().ConfigureAwait(false);
        _hash.Dispose();
    }
}
