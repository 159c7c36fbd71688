using Weir.Server.Storage;
using Weir.V1;

namespace Weir.Server.Users;

/// <summary>The users in the database. E-mails are unique without regard to the case of ASCII letters and kept as sent. Safe for use by any number of
/// threads; batches of all callers are written one after the other, in the order of arrival.</summary>
internal sealed class UserStore : IDisposable
{
    private readonly Database _database;
    private readonly SemaphoreSlim _writer = new(1);
    private readonly UserInsert _insert; // owned by _writer

    public UserStore(Database database)
    {
        _database = database;
        var connection = database.Open();
        connection.Execute("""
            CREATE TABLE IF NOT EXISTS users (
                id INTEGER PRIMARY KEY,
                name TEXT NOT NULL,
                email TEXT NOT NULL COLLATE NOCASE UNIQUE)
            """);
        _insert = new UserInsert(connection);
    }

    /// <summary>Opens the users in the order of their ids; to be disposed.</summary>
    public UserPages OpenPages(int afterId, string emailPrefix) => new(_database.Open(), afterId, emailPrefix);

    /// <summary>Writes a batch in one transaction and returns the indexes of the users whose e-mail is taken. When this returns the batch is on
    /// disk; when it throws or is cancelled, nothing of it is.</summary>
    public async Task<List<int>> CreateAsync(IReadOnlyList<User> batch, CancellationToken cancellationToken)
    {
        await _writer.WaitAsync(cancellationToken);
        try
        {
            return _insert.Run(batch, cancellationToken);
        }
        finally
        {
            _writer.Release();
        }
    }

    public void Dispose()
    {
        _insert.Dispose();
        _writer.Dispose();
    }
}
