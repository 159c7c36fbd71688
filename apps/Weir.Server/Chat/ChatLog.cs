using Microsoft.Data.Sqlite;
using Weir.Server.Storage;
using Weir.V1;

namespace Weir.Server.Chat;

/// <summary>
/// The messages of all rooms, in an SQLite file of its own: its one writer never waits for another feature's. What was appended
/// survives the end of the process (WAL, synchronous=NORMAL: a loss of power may take the last moments). Sequences of a room count up
/// by one without a gap. Reading is safe for any number of threads, appending for one.
/// </summary>
sealed class ChatLog : IDisposable
{
    /// <summary>How many messages one read gives at most.</summary>
    public const int PageMessages = 256;

    readonly string _source;
    readonly SqliteConnection _writer;
    readonly SqliteCommand _insert;

    public ChatLog(ChatOptions options)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(options.DatabasePath))!);
        _source = new SqliteConnectionStringBuilder { DataSource = options.DatabasePath, DefaultTimeout = 30 }.ToString();
        _writer = new SqliteConnection(_source);
        _writer.Open();
        _writer.Execute(
            """
            PRAGMA journal_mode = WAL;
            PRAGMA synchronous = NORMAL;
            CREATE TABLE IF NOT EXISTS chat_messages (
                room TEXT NOT NULL,
                sequence INTEGER NOT NULL,
                user TEXT NOT NULL,
                content TEXT NOT NULL,
                timestamp INTEGER NOT NULL,
                PRIMARY KEY (room, sequence)) WITHOUT ROWID;
            """);
        _insert = _writer.Prepare(
            "INSERT INTO chat_messages (room, sequence, user, content, timestamp) VALUES ($room, $sequence, $user, $content, $timestamp)",
            new SqliteParameter("$room", SqliteType.Text),
            new SqliteParameter("$sequence", SqliteType.Integer),
            new SqliteParameter("$user", SqliteType.Text),
            new SqliteParameter("$content", SqliteType.Text),
            new SqliteParameter("$timestamp", SqliteType.Integer));
    }

    /// <summary>Appends messages that have their room, sequence, user and timestamp: all of them or, with an exception, none.</summary>
    public void Append(IReadOnlyList<ChatMessage> messages)
    {
        using var transaction = _writer.BeginTransaction();
        _insert.Transaction = transaction;
        foreach (var message in messages)
        {
            _insert.Parameters[0].Value = message.RoomId;
            _insert.Parameters[1].Value = message.Sequence;
            _insert.Parameters[2].Value = message.UserId;
            _insert.Parameters[3].Value = message.Content;
            _insert.Parameters[4].Value = message.Timestamp;
            _insert.ExecuteNonQuery();
        }

        transaction.Commit();
    }

    /// <summary>The sequence of a room's last message; 0 when it has none.</summary>
    public long LastSequence(string room)
    {
        using var connection = OpenReader();
        using var command = connection.Prepare("SELECT max(sequence) FROM chat_messages WHERE room = $room", new SqliteParameter("$room", room));
        return command.ExecuteScalar() is long last ? last : 0;
    }

    /// <summary>The next page of a room's messages in order; none at its end.</summary>
    /// <param name="room">The room.</param>
    /// <param name="after">The sequence before the first one wanted.</param>
    /// <param name="last">The last sequence wanted.</param>
    public List<ChatMessage> Read(string room, long after, long last)
    {
        using var connection = OpenReader();
        using var command = connection.Prepare(
            $"SELECT sequence, user, content, timestamp FROM chat_messages WHERE room = $room AND sequence > $after AND sequence <= $last ORDER BY sequence LIMIT {PageMessages}",
            new SqliteParameter("$room", room),
            new SqliteParameter("$after", after),
            new SqliteParameter("$last", last));
        using var rows = command.ExecuteReader();
        var page = new List<ChatMessage>();
        while (rows.Read())
        {
            page.Add(new ChatMessage
            {
                RoomId = room,
                Sequence = rows.GetInt64(0),
                UserId = rows.GetString(1),
                Content = rows.GetString(2),
                Timestamp = rows.GetInt64(3),
            });
        }

        return page;
    }

    /// <summary>The first room with messages after <paramref name="room"/> in the index's order, or null.</summary>
    public string? RoomAfter(string room)
    {
        using var connection = OpenReader();
        using var command = connection.Prepare(
            "SELECT room FROM chat_messages WHERE room > $room ORDER BY room LIMIT 1", new SqliteParameter("$room", room));
        return (string?)command.ExecuteScalar();
    }

    public void Dispose()
    {
        _insert.Dispose();
        _writer.Dispose();
    }

    SqliteConnection OpenReader()
    {
        var connection = new SqliteConnection(_source);
        connection.Open();
        return connection;
    }
}
