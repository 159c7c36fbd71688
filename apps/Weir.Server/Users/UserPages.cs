using Microsoft.Data.Sqlite;
using Weir.Server.Storage;
using Weir.V1;

namespace Weir.Server.Users;

/// <summary>Users in the order of their ids, read a page at a time with one prepared statement; between two pages no transaction is open. Users that
/// are created meanwhile may or may not be among them. For one reader.</summary>
internal sealed class UserPages : IDisposable
{
    // More matches than this are found by walking the table, fewer by the e-mail index and a sort for each page.
    private const int MaxIndexedMatches = 1_000;

    // Ids that one fetch walks at most, so that a fetch without a match ends within milliseconds too.
    private const int WalkedIds = 20_000;

    private const string LastCharacter = "\U0010FFFF"; // sorts behind every character of an address

    private readonly SqliteConnection _connection;
    private readonly Statement _select;
    private readonly long _lastId = long.MaxValue; // where a walk ends
    private readonly long _step = long.MaxValue; // ids a fetch
    private long _last;

    public UserPages(SqliteConnection connection, int afterId, string emailPrefix)
    {
        _connection = connection;
        _last = Math.Max(afterId, 0);
        SqliteParameter from = new("$from", emailPrefix), to = new("$to", emailPrefix + LastCharacter);
        // A plus before a column keeps SQLite from using its index.
        var filter = "id > $after AND id <= $end";
        if (emailPrefix.Length > 0)
        {
            var indexed = Scalar($"SELECT count(*) FROM (SELECT 1 FROM users WHERE email >= $from AND email < $to LIMIT {MaxIndexedMatches + 1})", from, to) <= MaxIndexedMatches;
            filter = indexed ? "+id > $after AND +id <= $end AND email >= $from AND email < $to" : filter + " AND +email >= $from AND +email < $to";
            if (!indexed)
                (_lastId, _step) = (Scalar("SELECT max(id) FROM users"), WalkedIds);
        }

        _select = new Statement(connection, $"SELECT id, name, email FROM users WHERE {filter} ORDER BY id LIMIT $rows");
        if (emailPrefix.Length > 0)
        {
            _select.Bind("$from", emailPrefix);
            _select.Bind("$to", emailPrefix + LastCharacter);
        }
    }

    /// <summary>Fills <paramref name="page"/> with the next users; false when there are no more. A page may have fewer rows than asked for, even none,
    /// although more follow.</summary>
    public bool TryRead(List<User> page, int rows, CancellationToken cancellationToken)
    {
        page.Clear();
        var end = _step < _lastId - _last ? _last + _step : _lastId;
        _select.Bind("$after", _last);
        _select.Bind("$end", end);
        _select.Bind("$rows", rows);
        try
        {
            while (_select.Step())
            {
                cancellationToken.ThrowIfCancellationRequested();
                page.Add(new User { Id = (int)_select.GetInt64(0), Name = _select.GetText(1), Email = _select.GetText(2) });
            }
        }
        finally
        {
            _select.Reset(); // ends the read transaction
        }

        _last = page.Count == rows ? page[^1].Id : end;
        return page.Count > 0 || end < _lastId;
    }

    public void Dispose()
    {
        _select.Dispose();
        _connection.Dispose();
    }

    private long Scalar(string sql, params ReadOnlySpan<SqliteParameter> parameters)
    {
        using var command = _connection.Prepare(sql, parameters);
        return command.ExecuteScalar() is long value ? value : 0;
    }
}
