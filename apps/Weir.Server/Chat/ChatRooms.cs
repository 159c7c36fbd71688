using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Microsoft.Data.Sqlite;
using Weir.Rpc;
using Weir.V1;

namespace Weir.Server.Chat;

/// <summary>
/// The rooms that have members, and their one writer. Everything that changes a room goes through one bounded queue: the writer takes
/// what has gathered, stores the messages in one transaction, and only then publishes them. So a sequence that a member has seen is in
/// the log, also after kill -9. Senders wait when the queue is full; readers never wait for the log.
/// </summary>
sealed partial class ChatRooms : IAsyncDisposable
{
    const int BatchEntries = 256;

    enum Act
    {
        Join,
        Say,
        Leave,
    }

    readonly record struct Entry(Act Act, Membership Member, ChatMessage? Message = null, TaskCompletionSource? Done = null);

    readonly ChatOptions _options;
    readonly ChatLog _log;
    readonly TimeProvider _time;
    readonly ILogger<ChatRooms> _logger;
    readonly ConcurrentDictionary<string, Room> _rooms = new(StringComparer.Ordinal);
    readonly Channel<Entry> _entries;
    readonly List<Entry> _batch = new(BatchEntries);     // these three belong to the writer
    readonly List<ChatMessage> _said = new(BatchEntries);
    readonly Dictionary<Room, long> _sequences = [];
    readonly Task _writing;

    public ChatRooms(ChatOptions options, ChatLog log, TimeProvider time, ILogger<ChatRooms> logger)
    {
        _options = options;
        _log = log;
        _time = time;
        _logger = logger;
        _entries = Channel.CreateBounded<Entry>(new BoundedChannelOptions(options.QueuedMessages) { SingleReader = true });
        _writing = Task.Run(WriteAsync);
    }

    /// <summary>The rooms that have members now.</summary>
    public IEnumerable<Room> Open => _rooms.Values;

    /// <summary>The room if it has members now.</summary>
    public Room? Find(string roomId) => _rooms.GetValueOrDefault(roomId);

    /// <summary>Joins a room. The membership is left by disposing it.</summary>
    /// <exception cref="RpcException">ResourceExhausted: too many rooms have members. Unavailable: the server is stopping.</exception>
    public async Task<Membership> JoinAsync(string roomId, string userId, ChatDialect dialect, CancellationToken cancellationToken)
    {
        var member = new Membership(this, roomId, userId, dialect, _options.MaxLagMessages);
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await EnqueueAsync(new Entry(Act.Join, member, Done: done), cancellationToken);
        await done.Task; // not cancelled: once it is in the queue the member joins, and has to leave
        return member;
    }

    /// <summary>Stores a message and gives it to the others, later. Waits while the queue is full.</summary>
    internal ValueTask SendAsync(Membership member, ChatMessage message, CancellationToken cancellationToken) =>
        EnqueueAsync(new Entry(Act.Say, member, message), cancellationToken);

    /// <summary>Leaves the room behind everything that the member sent.</summary>
    internal async ValueTask LeaveAsync(Membership member)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        while (await _entries.Writer.WaitToWriteAsync())
        {
            if (!_entries.Writer.TryWrite(new Entry(Act.Leave, member, Done: done))) continue;
            await done.Task;
            return;
        }
    }

    /// <summary>A room's kept messages in order, a page in memory at a time.</summary>
    internal async IAsyncEnumerable<ChatMessage> ReadLogAsync(string room, long after, long last, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await Task.CompletedTask;
        while (after < last && _log.Read(room, after, last) is { Count: > 0 } page)
        {
            foreach (var message in page)
            {
                cancellationToken.ThrowIfCancellationRequested();
                yield return message;
            }

            after = page[^1].Sequence;
        }
    }

    /// <summary>Handles what is in the queue and ends the writer.</summary>
    public async ValueTask DisposeAsync()
    {
        _entries.Writer.TryComplete();
        await _writing;
    }

    async ValueTask EnqueueAsync(Entry entry, CancellationToken cancellationToken)
    {
        try
        {
            await _entries.Writer.WriteAsync(entry, cancellationToken);
        }
        catch (ChannelClosedException)
        {
            throw new RpcException(StatusCode.Unavailable, "the server is stopping");
        }
    }

    async Task WriteAsync()
    {
        try
        {
            while (await _entries.Reader.WaitToReadAsync())
            {
                while (_batch.Count < BatchEntries && _entries.Reader.TryRead(out var entry)) _batch.Add(entry);
                var stored = Store();
                foreach (var entry in _batch) Publish(entry, stored);
                _batch.Clear();
                _said.Clear();
                _sequences.Clear();
            }
        }
        finally
        {
            // After a failure nobody may wait for a writer that is gone. DisposeAsync gives the failure itself to the host.
            _entries.Writer.TryComplete();
            while (_entries.Reader.TryRead(out var entry)) _batch.Add(entry);
            foreach (var entry in _batch) entry.Done?.TrySetException(new RpcException(StatusCode.Unavailable, "the chat has stopped"));
        }
    }

    /// <summary>First pass over a batch: opens rooms, numbers the messages and stores them.</summary>
    bool Store()
    {
        try
        {
            foreach (var (act, member, message, _) in _batch)
            {
                if (act != Act.Say) continue;
                var last = _sequences.TryGetValue(member.Room, out var given) ? given : member.Room.End.MessageSequence;
                message!.Sequence = _sequences[member.Room] = last + 1;
                if (message.Timestamp == 0) message.Timestamp = Now;
                _said.Add(message);
            }

            if (_said.Count != 0) _log.Append(_said);
            return true;
        }
        catch (SqliteException e)
        {
            NotStored(e, _said.Count);
            return false;
        }
    }

    /// <summary>Second pass: everything takes effect, in the order in which it came.</summary>
    void Publish(Entry entry, bool stored)
    {
        var member = entry.Member;
        switch (entry.Act)
        {
            case Act.Join:
                Join(member, entry.Done!);
                break;
            case Act.Leave:
                Notify(member, ChatMessage.Types.Kind.Left);
                member.Room.Leave();
                if (member.Room.Members == 0) _rooms.TryRemove(member.RoomId, out _);
                entry.Done!.SetResult();
                break;
            default:
                if (stored) Publish(member, entry.Message!);
                else member.Fail(new RpcException(StatusCode.Unavailable, "the message could not be stored"));
                break;
        }
    }

    static void Publish(Membership member, ChatMessage message)
    {
        member.Said(message.Sequence);
        member.Room.Publish(message, member);
    }

    void Join(Membership member, TaskCompletionSource done)
    {
        try
        {
            if (!_rooms.TryGetValue(member.RoomId, out var room))
            {
                if (_rooms.Count >= _options.MaxRooms)
                    throw new RpcException(StatusCode.ResourceExhausted, $"{_rooms.Count} rooms have members, at most {_options.MaxRooms} are allowed");
                room = _rooms[member.RoomId] = new Room(member.RoomId, _log.LastSequence(member.RoomId), _options.RingMessages);
            }

            room.Enter();
            member.Enter(room, room.End);
            Notify(member, ChatMessage.Types.Kind.Joined);
            done.SetResult();
        }
        catch (Exception e) when (e is RpcException or SqliteException)
        {
            done.SetException(e);
        }
    }

    // A notice is not kept and has no sequence of its own: it carries the last message's, so that a client can resume after anything.
    void Notify(Membership member, ChatMessage.Types.Kind kind) => member.Room.Publish(
        new ChatMessage
        {
            UserId = member.UserId,
            RoomId = member.RoomId,
            Kind = kind,
            Timestamp = Now,
            Sequence = member.Room.End.MessageSequence,
        },
        member);

    long Now => _time.GetUtcNow().ToUnixTimeSeconds();

    [LoggerMessage(EventId = 5001, Level = LogLevel.Error, Message = "Storing {Count} chat messages failed")]
    private partial void NotStored(Exception exception, int count);
}
