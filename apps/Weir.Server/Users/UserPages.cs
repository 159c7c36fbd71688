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

    private readonly SqliteConnection _connection;
    private readonly SqliteParameter _after = new("$after", SqliteType.Integer);
    private readonly SqliteParameter _end = new("$end", SqliteType.Integer);
    private readonly SqliteParameter _rows = new("$rows", SqliteType.Integer);
    private readonly SqliteCommand _select;
    private readonly long _lastId = long.MaxValue; // where a walk ends
    private readonly long _step = long.MaxValue; // ids a fetch
    private long _last;

    public UserPages(SqliteConnection connection, int afterId, string emailPrefix)
    {
        _connection = connection;
        _last = Math.Max(afterId, 0);
        // U+10FFFF sorts behind every character of an address.
        SqliteParameter from = new("$from", emailPrefix), to = new("$to", emailPrefix + "\U0010FFFF");
        // A plus before a column keeps SQLite from using its index.
        var filter = "id > $after AND id <= $end";
        if (emailPrefix.Length > 0)
        {
            var indexed = Scalar($"SELECT count(*) FROM (SELECT 1 FROM users WHERE email >= $from AND email < $to LIMIT {MaxIndexedMatches + 1})", from, to) <= MaxIndexedMatches;
            filter = indexed ? "+id > $after AND +id <= $end AND email >= $from AND email < $to" : filter + " AND +email >= $from AND +email < $to";
            if (!indexed)
                (_lastId, _step) = (Scalar("SELECT max(id) FROM users"), WalkedIds);
        }

        _select = connection.Prepare($"SELECT id, name, email FROM users WHERE {filter} ORDER BY id LIMIT $rows", from, to, _after, _end, _rows);
    }

    /// <summary>Fills <paramref name="page"/> with the next users; false when there are no more. A page may have fewer rows than asked for, even none,
    /// although more follow.</summary>
    public bool TryRead(List<User> page, int rows, CancellationToken cancellationToken)
    {
        page.Clear();
        var end = _step < _lastId - _last ? _last + _step : _lastId;
        (_after.Value, _end.Value, _rows.Value) = (_last, end, rows);
        using (var reader = _select.ExecuteReader())
        {
            while (reader.Read())
            {
                cancellationToken.ThrowIfCancellationRequested();
                page.Add(new User { Id = reader.GetInt32(0), Name = reader.GetString(1), Email = reader.GetString(2) });
            }
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
