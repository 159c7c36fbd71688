using Microsoft.Data.Sqlite;
using Weir.Server.Storage;
using Weir.V1;

namespace Weir.Server.Users;

/// <summary>The one connection that writes users, a transaction at a time. For one thread at a time.</summary>
internal sealed class UserInsert : IDisposable
{
    // Of the e-mails' index, so much stays in memory: e-mails come in no order and change pages all over it.
    private const int CacheKiB = 32 * 1024;

    // The log is written back in large pieces (40 MB at most), so that a page which many transactions change is written back once.
    private const int CheckpointPages = 10_000;

    private readonly SqliteConnection _connection;
    private readonly Statement _insert;
    private SqliteTransaction? _transaction;

    public UserInsert(SqliteConnection connection)
    {
        _connection = connection;
        connection.Execute($"PRAGMA cache_size = -{CacheKiB}; PRAGMA wal_autocheckpoint = {CheckpointPages};");
        _insert = new Statement(connection, "INSERT INTO users (name, email) VALUES ($name, $email) ON CONFLICT (email) DO NOTHING");
    }

    public void Begin() => _transaction = _connection.BeginTransaction();

    /// <summary>Adds a batch to the transaction and returns the indexes of the users whose e-mail is taken.</summary>
    public List<int> Add(List<User> batch)
    {
        var taken = new List<int>();
        for (var index = 0; index < batch.Count; index++)
        {
            if (!TryInsert(batch[index]))
                taken.Add(index);
        }

        return taken;
    }

    /// <summary>On return the transaction is on disk.</summary>
    public void Commit() => _transaction!.Commit();

    /// <summary>Ends the transaction; what has not been committed is undone.</summary>
    public void End()
    {
        _transaction?.Dispose();
        _transaction = null;
    }

    public void Dispose()
    {
        _insert.Dispose();
        _connection.Dispose();
    }

    private bool TryInsert(User user)
    {
        _insert.Bind("$name", user.Name);
        _insert.Bind("$email", user.Email);
        try
        {
            _insert.Step();
            return _insert.Changes > 0;
        }
        finally
        {
            _insert.Reset();
        }
    }
}
