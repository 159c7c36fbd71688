using Microsoft.Data.Sqlite;
using Weir.Server.Storage;

namespace Weir.Server.Tests.Storage;

public sealed class StatementTests : IDisposable
{
    private readonly SqliteConnection _connection = new("Data Source=:memory:");

    public StatementTests()
    {
        _connection.Open();
        _connection.Execute("CREATE TABLE t (id INTEGER PRIMARY KEY, text TEXT UNIQUE)");
    }

    public void Dispose() => _connection.Dispose();

    [Theory]
    [InlineData("")]
    [InlineData("Ada")]
    [InlineData("Zoë \U0001F600 with a \0 within")]
    public void A_text_comes_back_as_it_was_bound(string text)
    {
        Insert(1, text);
        using var select = new Statement(_connection, "SELECT id, text FROM t WHERE id = $id");
        select.Bind("$id", 1);
        Assert.True(select.Step());
        Assert.Equal((1, text), (select.GetInt64(0), select.GetText(1)));
        Assert.False(select.Step());
    }

    [Fact]
    public void A_text_longer_than_those_before_is_bound_whole()
    {
        Insert(1, "short");
        Insert(2, new string('é', 5_000));
        using var select = new Statement(_connection, "SELECT text FROM t WHERE id = 2");
        Assert.True(select.Step());
        Assert.Equal(new string('é', 5_000), select.GetText(0));
    }

    [Fact]
    public void A_step_that_fails_throws_and_the_statement_runs_again_after_its_reset()
    {
        using var insert = new Statement(_connection, "INSERT INTO t (id, text) VALUES ($id, 'one')");
        insert.Bind("$id", 1);
        Assert.False(insert.Step());
        insert.Reset();
        insert.Bind("$id", 2);
        var error = Assert.Throws<SqliteException>(() => insert.Step());
        Assert.Equal(SQLitePCL.raw.SQLITE_CONSTRAINT, error.SqliteErrorCode);
        insert.Reset();
        _connection.Execute("DELETE FROM t");
        Assert.False(insert.Step());
        Assert.Equal(1, insert.Changes);
    }

    [Fact]
    public void Wrong_SQL_is_told_when_the_statement_is_made() => Assert.Throws<SqliteException>(() => new Statement(_connection, "SELECT nothing FROM nowhere"));

    [Fact]
    public void A_parameter_that_the_statement_has_not_is_told_by_name()
    {
        using var select = new Statement(_connection, "SELECT id FROM t WHERE id = $id");
        Assert.Contains("$other", Assert.Throws<ArgumentException>(() => select.Bind("$other", 1)).Message, StringComparison.Ordinal);
    }

    private void Insert(long id, string text)
    {
        using var insert = new Statement(_connection, "INSERT INTO t (id, text) VALUES ($id, $text)");
        insert.Bind("$id", id);
        insert.Bind("$text", text);
        Assert.False(insert.Step());
    }
}
