using Weir.Server.Storage;

namespace Weir.Server.Users;

/// <summary>The users in the database. E-mails are unique without regard to the case of ASCII letters and kept as sent. Safe for use by any number of
/// threads; the transactions of all callers come one after the other, in the order of arrival.</summary>
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

    /// <summary>Begins a transaction once those of other callers have ended; to be disposed soon, since others wait for it.</summary>
    public async Task<UserWrite> BeginAsync(CancellationToken cancellationToken)
    {
        await _writer.WaitAsync(cancellationToken);
        try
        {
            _insert.Begin();
            return new UserWrite(_insert, _writer);
        }
        catch
        {
            _writer.Release();
            throw;
        }
    }

    public void Dispose()
    {
        _insert.Dispose();
        _writer.Dispose();
    }
}
