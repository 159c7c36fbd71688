using System.Runtime.CompilerServices;
using Weir.V1;

namespace Weir.Client;

/// <summary>Files on a server: up and down in constant memory, resumed after a break and by a later run, checked by SHA-256.
/// Safe for use by any number of threads.</summary>
public sealed class FileTransfers
{
    private readonly CallInvoker _channel;
    private readonly FileService.Client _files;

    /// <summary>Uses a channel, which stays the caller's.</summary>
    public FileTransfers(CallInvoker channel)
    {
        _channel = channel;
        _files = new FileService.Client(channel);
    }

    /// <summary>Uploads a file. Broken off, by the network or by the end of this process, it goes on where it stopped when called again
    /// with the same unchanged file; called after it had finished, it only compares.</summary>
    /// <exception cref="IOException">The file cannot be read.</exception>
    /// <exception cref="InvalidDataException">The file changed while it was sent.</exception>
    /// <exception cref="RpcException">The server refused, or could not be reached for <see cref="ReconnectOptions.GiveUpAfter"/>.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> fired; the upload can go on later.</exception>
    public async Task<UploadResult> UploadAsync(string path, UploadOptions? options = null, CancellationToken cancellationToken = default)
    {
        options ??= new UploadOptions();
        var id = options.UploadId ?? UploadId.ForFile(path, options.Name);
        var source = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: 0, FileOptions.SequentialScan);
        await using var _ = source.ConfigureAwait(false);
        using var upload = new FileUpload(_channel, source, options.Name ?? Path.GetFileName(path), id, options);
        return await upload.RunAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Uploads all of a stream, from position 0. The stream stays the caller's, who leaves it alone until the task has ended.
    /// It must be seekable: an attempt may have to go back.</summary>
    /// <exception cref="ArgumentException">The stream cannot seek, or <see cref="UploadOptions.Name"/> is missing.</exception>
    /// <exception cref="InvalidDataException">The stream changed while it was sent.</exception>
    /// <exception cref="RpcException">The server refused, or could not be reached for <see cref="ReconnectOptions.GiveUpAfter"/>.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> fired.</exception>
    public async Task<UploadResult> UploadAsync(Stream source, UploadOptions options, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(options);
        if (!source.CanSeek)
            throw new ArgumentException("The stream cannot seek; an upload that goes on after a break needs to.", nameof(source));
        if (string.IsNullOrEmpty(options.Name))
            throw new ArgumentException("A stream has no name of its own: set UploadOptions.Name.", nameof(options));
        using var upload = new FileUpload(_channel, source, options.Name, options.UploadId ?? UploadId.Random(), options);
        return await upload.RunAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Downloads a file. What comes is kept beside the destination as NAME.*.weir-part and moved there when it is whole and its
    /// SHA-256 is right; broken off, by the network or by the end of this process, the download goes on where it stopped when called again.</summary>
    /// <exception cref="IOException">The destination is there already, cannot be written, or is being downloaded by somebody else.</exception>
    /// <exception cref="InvalidDataException">What came is not what the server has; the part is deleted.</exception>
    /// <exception cref="RpcException">NotFound, or the server could not be reached for <see cref="ReconnectOptions.GiveUpAfter"/>.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> fired; the download can go on later.</exception>
    public Task<DownloadResult> DownloadAsync(string fileId, string destination, DownloadOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(fileId);
        ArgumentException.ThrowIfNullOrEmpty(destination);
        return new FileDownload(_channel, fileId, Path.GetFullPath(destination), options ?? new DownloadOptions()).RunAsync(cancellationToken);
    }

    /// <summary>The stored files, oldest first; only those with the label <paramref name="name"/> if it is given. Read as they come.</summary>
    /// <exception cref="RpcException">The call failed.</exception>
    public async IAsyncEnumerable<Weir.V1.FileInfo> ListAsync(string? name = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var call = _files.ListFiles(new ListFilesRequest { FileName = name ?? "" }, cancellationToken: cancellationToken);
        await foreach (var file in call.WithCancellation(cancellationToken).ConfigureAwait(false))
            yield return file;
    }

    /// <summary>The files meant by a label or an id: those with the label, oldest first; if there are none, the one with the id; or none.</summary>
    /// <exception cref="RpcException">The call failed.</exception>
    public async Task<IReadOnlyList<Weir.V1.FileInfo>> FindAsync(string nameOrId, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(nameOrId);
        var found = new List<Weir.V1.FileInfo>();
        await foreach (var file in ListAsync(nameOrId, cancellationToken).ConfigureAwait(false))
            found.Add(file);
        if (found.Count > 0)
            return found;
        await foreach (var file in ListAsync(null, cancellationToken).ConfigureAwait(false))
        {
            if (file.FileId == nameOrId)
                return [file];
        }

        return found;
    }

    /// <summary>Deletes a file.</summary>
    /// <exception cref="RpcException">NotFound when there is none with that id, or the call failed.</exception>
    public async Task DeleteAsync(string fileId, CancellationToken cancellationToken = default) =>
        await _files.DeleteFile(new DeleteFileRequest { FileId = fileId }, cancellationToken: cancellationToken);
}
