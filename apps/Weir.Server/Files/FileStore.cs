using Microsoft.Win32.SafeHandles;
using Weir.Client;

namespace Weir.Server.Files;

/// <summary>
/// The stored files and the uploads in progress. On disk: FOLDER/ID for a file, FOLDER/uploads/ID.part for an upload, FOLDER/files.db
/// for what is known of them; every ID is the server's own. Safe for use by any number of threads, with one writer for each upload.
/// </summary>
sealed class FileStore
{
    readonly string _directory;
    readonly string _uploads;
    readonly FileIndex _index;
    readonly TimeProvider _time;

    /// <summary>Opens or creates the store and puts in order what a process that was killed left behind.</summary>
    public FileStore(FilesOptions options, TimeProvider time)
    {
        _directory = Path.GetFullPath(options.Directory);
        _uploads = Path.Combine(_directory, "uploads");
        _time = time;
        MaxFileBytes = options.MaxFileBytes;
        Directory.CreateDirectory(_uploads);
        _index = new FileIndex(Path.Combine(_directory, "files.db"));
        Recover(time.GetUtcNow() - options.KeepUploads);
    }

    /// <summary>The largest file taken, in bytes.</summary>
    public long MaxFileBytes { get; }

    public FileRecord? FindFile(string id) => _index.FindFile(id);

    /// <summary>The files after a place in the list, a page at a time; none at its end.</summary>
    public List<FileRecord> ListFiles(long after, string name) => _index.ListFiles(after, name);

    /// <summary>Opens a file's bytes; null when it was deleted meanwhile. They stay readable until the handle is closed.</summary>
    public SafeFileHandle? OpenFile(FileRecord file)
    {
        try
        {
            return File.OpenHandle(FilePath(file.Id), FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete);
        }
        catch (FileNotFoundException)
        {
            return null;
        }
    }

    /// <summary>Deletes a file. False when there is none.</summary>
    public bool DeleteFile(string id)
    {
        if (_index.FindFile(id) is null) return false;

        // The bytes first: killed in between, the file is still listed and can be deleted again.
        File.Delete(FilePath(id));
        return _index.DeleteFile(id);
    }

    public UploadRecord? FindUpload(string uploadId) => _index.FindUpload(uploadId);

    /// <summary>How many bytes of an upload are stored.</summary>
    public long StoredBytes(UploadRecord upload)
    {
        var part = new FileInfo(PartPath(upload.FileId));
        return part.Exists ? part.Length : 0;
    }

    /// <summary>Notes that an upload begins.</summary>
    public UploadRecord BeginUpload(string? uploadId, string name)
    {
        var upload = new UploadRecord(Guid.CreateVersion7().ToString("N"), uploadId, name, Now, IsCompleted: false);
        _index.AddUpload(upload);
        return upload;
    }

    /// <summary>Opens the bytes of an upload that is not completed, to append to them.</summary>
    /// <param name="upload">The upload.</param>
    /// <param name="offset">How many of the bytes to keep; null means all.</param>
    /// <param name="cancellationToken">Ends the hashing of what is there.</param>
    public Task<PartFile> OpenPartAsync(UploadRecord upload, long? offset, CancellationToken cancellationToken) =>
        PartFile.OpenAsync(PartPath(upload.FileId), offset, cancellationToken);

    /// <summary>Makes a file of an upload whose bytes are all on the disk. When this returns, it stays.</summary>
    public void CompleteUpload(UploadRecord upload, long size, string sha256)
    {
        // Killed after the rename and before the index knows: Recover makes it a part again.
        File.Move(PartPath(upload.FileId), FilePath(upload.FileId));
        try
        {
            FolderSync.Flush(_directory);
            FolderSync.Flush(_uploads);
            _index.CompleteUpload(upload, size, sha256, Now);
        }
        catch
        {
            File.Move(FilePath(upload.FileId), PartPath(upload.FileId));
            throw;
        }
    }

    /// <summary>Throws away an upload that is not completed.</summary>
    public void DropUpload(UploadRecord upload)
    {
        File.Delete(PartPath(upload.FileId));
        _index.DeleteUpload(upload.FileId);
    }

    void Recover(DateTimeOffset staleBefore)
    {
        var known = new HashSet<string>(StringComparer.Ordinal);
        foreach (var upload in _index.AllUploads())
        {
            if (upload.IsCompleted)
            {
                if (upload.ChangedAt < staleBefore.ToUnixTimeSeconds()) _index.DeleteUpload(upload.FileId);
                continue;
            }

            var part = PartPath(upload.FileId);
            if (File.Exists(FilePath(upload.FileId))) File.Move(FilePath(upload.FileId), part, overwrite: true);
            if (upload.UploadId is null || LastChange(upload, part) < staleBefore) DropUpload(upload);
            else known.Add(part);
        }

        foreach (var part in Directory.EnumerateFiles(_uploads, "*.part"))
        {
            if (!known.Contains(part)) File.Delete(part);
        }
    }

    static DateTimeOffset LastChange(UploadRecord upload, string part)
    {
        var began = DateTimeOffset.FromUnixTimeSeconds(upload.ChangedAt);
        if (!File.Exists(part)) return began;
        var written = new DateTimeOffset(File.GetLastWriteTimeUtc(part));
        return written > began ? written : began;
    }

    long Now => _time.GetUtcNow().ToUnixTimeSeconds();

    string FilePath(string id) => Path.Combine(_directory, id);

    string PartPath(string id) => Path.Combine(_uploads, id + ".part");
}
