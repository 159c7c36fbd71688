namespace Weir.Server.Files;

/// <summary>A stored file.</summary>
/// <param name="Number">Its place in the list of all files; counts up.</param>
/// <param name="Id">The server's id; also the name of the file on disk.</param>
/// <param name="Name">The client's label.</param>
/// <param name="Size">In bytes.</param>
/// <param name="Sha256">Lower-case hex.</param>
/// <param name="CreatedAt">Unix seconds.</param>
sealed record FileRecord(long Number, string Id, string Name, long Size, string Sha256, long CreatedAt);

/// <summary>An upload that began.</summary>
/// <param name="FileId">The id of the file that it becomes.</param>
/// <param name="UploadId">The client's id; null for one that cannot go on after a break.</param>
/// <param name="Name">The client's label.</param>
/// <param name="ChangedAt">When it began or completed; Unix seconds.</param>
/// <param name="IsCompleted">Whether the file is stored.</param>
sealed record UploadRecord(string FileId, string? UploadId, string Name, long ChangedAt, bool IsCompleted);
