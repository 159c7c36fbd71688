using Microsoft.Data.Sqlite;
using SQLitePCL;
using Weir.Server.Hosting;

namespace Weir.Server.Storage;

/// <summary>The server's SQLite file, weir.db in the data folder. Readers never wait for the writer (WAL); a transaction that has
/// committed is on disk (synchronous=FULL). Safe for use by any number of threads; a connection is one thread's at a time.</summary>
internal sealed class Database(DataFolder folder) : IDisposable
{
    static Database()
    {
        // A connection is one thread's at a time, so SQLite need not lock it in every call: that is a fifth of a row's time.
        Batteries_V2.Init();
        raw.sqlite3_config(raw.SQLITE_CONFIG_MULTITHREAD);
    }

    private readonly string _source = new SqliteConnectionStringBuilder
    {
        DataSource = Path.Combine(folder.Path, "weir.db"),
        DefaultTimeout = 30, // seconds to wait for another writer
    }.ToString();

    /// <summary>A connection from the pool, to be disposed.</summary>
    public SqliteConnection Open()
    {
        var connection = new SqliteConnection(_source);
        try
        {
            connection.Open();
            connection.Execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;");
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    /// <summary>Closes the pool's connections; the last one writes the log back into the file.</summary>
    public void Dispose()
    {
        using var connection = new SqliteConnection(_source);
        SqliteConnection.ClearPool(connection);
    }
}

/// <summary>What SqliteConnection lacks.</summary>
internal static class SqliteConnectionExtensions
{
    extension(SqliteConnection connection)
    {
        /// <summary>Runs statements that return nothing.</summary>
        public void Execute(string sql)
        {
            using var command = connection.CreateCommand();
            command.CommandText = sql;
            command.ExecuteNonQuery();
        }

        /// <summary>A command with its parameters in place, their values to be set before it runs.</summary>
        public SqliteCommand Prepare(string sql, params ReadOnlySpan<SqliteParameter> parameters)
        {
            var command = connection.CreateCommand();
            command.CommandText = sql;
            foreach (var parameter in parameters)
                command.Parameters.Add(parameter);
            return command;
        }
    }
}
