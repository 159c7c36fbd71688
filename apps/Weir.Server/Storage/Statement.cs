using System.Text;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace Weir.Server.Storage;

/// <summary>A statement that runs many times, below SqliteCommand, whose every run and every text costs objects. Parameters are bound by name and stay
/// bound. For one thread at a time; the connection stays the caller's and must outlive it.</summary>
internal sealed class Statement : IDisposable
{
    private readonly SqliteConnection _connection;
    private readonly sqlite3_stmt _statement;
    private readonly string[] _parameters; // by their index less one; few, so that looking through them is quickest
    private byte[] _octets = new byte[256];

    /// <exception cref="SqliteException">The SQL is wrong.</exception>
    public Statement(SqliteConnection connection, string sql)
    {
        _connection = connection;
        Check(raw.sqlite3_prepare_v2(connection.Handle, sql, out _statement));
        _parameters = new string[raw.sqlite3_bind_parameter_count(_statement)];
        for (var index = 0; index < _parameters.Length; index++)
            _parameters[index] = raw.sqlite3_bind_parameter_name(_statement, index + 1).utf8_to_string();
    }

    /// <summary>Rows that the last INSERT, UPDATE or DELETE of the connection changed.</summary>
    public int Changes => raw.sqlite3_changes(_connection.Handle);

    /// <exception cref="ArgumentException">The statement has no such parameter.</exception>
    public void Bind(string parameter, long value) => Check(raw.sqlite3_bind_int64(_statement, IndexOf(parameter), value));

    /// <exception cref="ArgumentException">The statement has no such parameter.</exception>
    public void Bind(string parameter, string value)
    {
        var most = Encoding.UTF8.GetMaxByteCount(value.Length);
        if (_octets.Length < most)
            _octets = new byte[most];
        var octets = _octets.AsSpan(0, Encoding.UTF8.GetBytes(value, _octets));
        Check(raw.sqlite3_bind_text(_statement, IndexOf(parameter), octets)); // SQLite makes a copy
    }

    /// <summary>Runs up to the next row; false when there is none. Then, or when no more rows are wanted: <see cref="Reset"/>.</summary>
    /// <exception cref="SqliteException">The database says so.</exception>
    public bool Step()
    {
        var result = raw.sqlite3_step(_statement);
        if (result is not (raw.SQLITE_ROW or raw.SQLITE_DONE))
            Check(result);
        return result == raw.SQLITE_ROW;
    }

    /// <summary>Ends a run.</summary>
    public void Reset() => raw.sqlite3_reset(_statement); // what it returns is what Step has thrown

    public long GetInt64(int column) => raw.sqlite3_column_int64(_statement, column);

    public string GetText(int column) => Encoding.UTF8.GetString(raw.sqlite3_column_blob(_statement, column)); // the octets of the text, with their count

    public void Dispose() => _statement.Dispose();

    private int IndexOf(string parameter)
    {
        var index = Array.IndexOf(_parameters, parameter);
        return index >= 0 ? index + 1 : throw new ArgumentException($"The statement has no parameter {parameter}.", nameof(parameter));
    }

    private void Check(int result) => SqliteException.ThrowExceptionForRC(result, _connection.Handle);
}
