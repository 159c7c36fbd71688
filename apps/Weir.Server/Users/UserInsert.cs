using Microsoft.Data.Sqlite;
using Weir.Server.Storage;
using Weir.V1;

namespace Weir.Server.Users;

/// <summary>The one connection that writes users. For one thread at a time.</summary>
internal sealed class UserInsert : IDisposable
{
    // Of the e-mails' index, so much stays in memory: e-mails come in no order and change pages all over it.
    private const int CacheKiB = 32 * 1024;

    // The log is written back in large pieces (40 MB at most), so that a page which many batches change is written back once.
    private const int CheckpointPages = 10_000;

    private readonly SqliteConnection _connection;
    private readonly Statement _insert;

    public UserInsert(SqliteConnection connection)
    {
        _connection = connection;
        connection.Execute($"PRAGMA cache_size = -{CacheKiB}; PRAGMA wal_autocheckpoint = {CheckpointPages};");
        _insert = new Statement(connection, "INSERT INTO users (name, email) VALUES ($name, $email) ON CONFLICT (email) DO NOTHING");
    }

    /// <summary>Writes a batch in one transaction, which is on disk on return, and returns the indexes of the users whose e-mail is taken. When it
    /// throws nothing is written.</summary>
    public List<int> Run(IReadOnlyList<User> batch, CancellationToken cancellationToken)
    {
        var taken = new List<int>();
        using var transaction = _connection.BeginTransaction();
        for (var index = 0; index < batch.Count; index++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (!TryInsert(batch[index]))
                taken.Add(index);
        }

        transaction.Commit();
        return taken;
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
