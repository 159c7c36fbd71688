using Microsoft.Data.Sqlite;
using Weir.Server.Storage;
using Weir.V1;

namespace Weir.Server.Users;

/// <summary>The users in the database. E-mails are unique without regard to the case of ASCII letters and kept as sent. Safe for use by any number of
/// threads; batches of all callers are written one after the other, in the order of arrival.</summary>
internal sealed class UserStore : IDisposable
{
    private readonly Database _database;
    private readonly SemaphoreSlim _writer = new(1);

    public UserStore(Database database)
    {
        _database = database;
        using var connection = database.Open();
        connection.Execute("""
            CREATE TABLE IF NOT EXISTS users (
                id INTEGER PRIMARY KEY,
                name TEXT NOT NULL,
                email TEXT NOT NULL COLLATE NOCASE UNIQUE)
            """);
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
            return Create(batch, cancellationToken);
        }
        finally
        {
            _writer.Release();
        }
    }

    public void Dispose() => _writer.Dispose();

    private List<int> Create(IReadOnlyList<User> batch, CancellationToken cancellationToken)
    {
        var taken = new List<int>();
        using var connection = _database.Open();
        using var transaction = connection.BeginTransaction();
        SqliteParameter name = new("$name", SqliteType.Text), email = new("$email", SqliteType.Text);
        using var insert = connection.Prepare("INSERT INTO users (name, email) VALUES ($name, $email) ON CONFLICT (email) DO NOTHING", name, email);
        for (var index = 0; index < batch.Count; index++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            name.Value = batch[index].Name;
            email.Value = batch[index].Email;
            if (insert.ExecuteNonQuery() == 0)
                taken.Add(index);
        }

        transaction.Commit();
        return taken;
    }
}
