using Microsoft.Data.Sqlite;
using Weir.Server.Storage;

namespace Weir.Server.Files;

/// <summary>
/// What is known of files and uploads beside their bytes: an SQLite file in the same folder, so that the folder is complete in itself.
/// A change that has returned is on disk. Safe for use by any number of threads.
/// </summary>
sealed class FileIndex
{
    const int PageRows = 256;

    readonly string _source;

    /// <summary>Opens or creates the index.</summary>
    public FileIndex(string path)
    {
        _source = new SqliteConnectionStringBuilder { DataSource = path, DefaultTimeout = 30 }.ToString();
        using var connection = Open();
        connection.Execute(
            """
            PRAGMA journal_mode = WAL;
            CREATE TABLE IF NOT EXISTS files (
                number INTEGER PRIMARY KEY AUTOINCREMENT,
                id TEXT NOT NULL UNIQUE,
                name TEXT NOT NULL,
                size INTEGER NOT NULL,
                sha256 TEXT NOT NULL,
                created_at INTEGER NOT NULL);
            CREATE INDEX IF NOT EXISTS files_name ON files (name, number);
            CREATE TABLE IF NOT EXISTS uploads (
                file_id TEXT NOT NULL PRIMARY KEY,
                upload_id TEXT UNIQUE,
                name TEXT NOT NULL,
                changed_at INTEGER NOT NULL,
                completed INTEGER NOT NULL) WITHOUT ROWID;
            """);
    }

    public FileRecord? FindFile(string id)
    {
        using var connection = Open();
        using var command = connection.Prepare("SELECT number, id, name, size, sha256, created_at FROM files WHERE id = $id", new SqliteParameter("$id", id));
        using var rows = command.ExecuteReader();
        return rows.Read() ? ReadFile(rows) : null;
    }

    /// <summary>Up to 256 files after a place in the list; none at its end.</summary>
    /// <param name="after">The last number seen; 0 for the first page.</param>
    /// <param name="name">Only files with this label; empty means all.</param>
    public List<FileRecord> ListFiles(long after, string name)
    {
        using var connection = Open();
        using var command = connection.Prepare(
            $"SELECT number, id, name, size, sha256, created_at FROM files WHERE number > $after {(name.Length == 0 ? "" : "AND name = $name")} ORDER BY number LIMIT {PageRows}",
            new SqliteParameter("$after", after),
            new SqliteParameter("$name", name));
        using var rows = command.ExecuteReader();
        var page = new List<FileRecord>();
        while (rows.Read()) page.Add(ReadFile(rows));
        return page;
    }

    /// <summary>Forgets a file and the upload it came from. False when there is none.</summary>
    public bool DeleteFile(string id)
    {
        using var connection = Open();
        using var transaction = connection.BeginTransaction();
        var deleted = Run(connection, "DELETE FROM files WHERE id = $id", new SqliteParameter("$id", id)) > 0;
        Run(connection, "DELETE FROM uploads WHERE file_id = $id", new SqliteParameter("$id", id));
        transaction.Commit();
        return deleted;
    }

    public UploadRecord? FindUpload(string uploadId) =>
        ReadUploads("WHERE upload_id = $id", new SqliteParameter("$id", uploadId)).FirstOrDefault();

    public List<UploadRecord> AllUploads() => ReadUploads("");

    public void AddUpload(UploadRecord upload)
    {
        using var connection = Open();
        Run(
            connection,
            "INSERT INTO uploads (file_id, upload_id, name, changed_at, completed) VALUES ($file, $upload, $name, $at, 0)",
            new SqliteParameter("$file", upload.FileId),
            new SqliteParameter("$upload", (object?)upload.UploadId ?? DBNull.Value),
            new SqliteParameter("$name", upload.Name),
            new SqliteParameter("$at", upload.ChangedAt));
    }

    /// <summary>Turns an upload into a file, in one step. One without an id of the client's is forgotten, the others are remembered.</summary>
    public void CompleteUpload(UploadRecord upload, long size, string sha256, long at)
    {
        using var connection = Open();
        using var transaction = connection.BeginTransaction();
        var id = new SqliteParameter("$id", upload.FileId);
        var createdAt = new SqliteParameter("$at", at);
        Run(
            connection,
            "INSERT INTO files (id, name, size, sha256, created_at) VALUES ($id, $name, $size, $sha256, $at)",
            id,
            new SqliteParameter("$name", upload.Name),
            new SqliteParameter("$size", size),
            new SqliteParameter("$sha256", sha256),
            createdAt);
        if (upload.UploadId is null) Run(connection, "DELETE FROM uploads WHERE file_id = $id", id);
        else Run(connection, "UPDATE uploads SET completed = 1, changed_at = $at WHERE file_id = $id", id, createdAt);
        transaction.Commit();
    }

    public void DeleteUpload(string fileId)
    {
        using var connection = Open();
        Run(connection, "DELETE FROM uploads WHERE file_id = $id", new SqliteParameter("$id", fileId));
    }

    SqliteConnection Open()
    {
        var connection = new SqliteConnection(_source);
        try
        {
            connection.Open();
            connection.Execute("PRAGMA synchronous = FULL;");
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    List<UploadRecord> ReadUploads(string where, params ReadOnlySpan<SqliteParameter> parameters)
    {
        using var connection = Open();
        using var command = connection.Prepare($"SELECT file_id, upload_id, name, changed_at, completed FROM uploads {where}", parameters);
        using var rows = command.ExecuteReader();
        var uploads = new List<UploadRecord>();
        while (rows.Read())
            uploads.Add(new UploadRecord(rows.GetString(0), rows.IsDBNull(1) ? null : rows.GetString(1), rows.GetString(2), rows.GetInt64(3), rows.GetBoolean(4)));
        return uploads;
    }

    static FileRecord ReadFile(SqliteDataReader row) =>
        new(row.GetInt64(0), row.GetString(1), row.GetString(2), row.GetInt64(3), row.GetString(4), row.GetInt64(5));

    static int Run(SqliteConnection connection, string sql, params ReadOnlySpan<SqliteParameter> parameters)
    {
        using var command = connection.Prepare(sql, parameters);
        var changed = command.ExecuteNonQuery();
        command.Parameters.Clear(); // a parameter belongs to one command at a time
        return changed;
    }
}
