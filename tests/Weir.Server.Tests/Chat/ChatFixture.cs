using System.Threading.Channels;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Weir.Rpc;
using Weir.Server.Chat;
using Weir.V1;

namespace Weir.Server.Tests.Chat;

/// <summary>Chat rooms over a folder of their own. A restart is new rooms over the same folder.</summary>
sealed class ChatFixture : IAsyncDisposable
{
    readonly string _root = Directory.CreateTempSubdirectory("weir-chat-").FullName;
    ChatLog _log = null!;

    public static TimeSpan Bound { get; } = TimeSpan.FromSeconds(60);

    public static CancellationToken Stop => TestContext.Current.CancellationToken;

    public FakeTimeProvider Time { get; } = new(new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.Zero));

    public ChatRooms Rooms { get; private set; } = null!;

    public ChatHandler Handler { get; private set; } = null!;

    public ChatFixture Start(int ring = 1024, int maxRooms = 100, int maxLag = 65_536)
    {
        var options = new ChatOptions { DatabasePath = Path.Combine(_root, "chat.db"), RingMessages = ring, MaxRooms = maxRooms, MaxLagMessages = maxLag };
        _log = new ChatLog(options);
        Rooms = new ChatRooms(options, _log, Time, NullLogger<ChatRooms>.Instance);
        Handler = new ChatHandler(Rooms, _log);
        return this;
    }

    public async Task RestartAsync(int ring = 1024)
    {
        await Rooms.DisposeAsync();
        _log.Dispose();
        Start(ring);
    }

    /// <summary>Starts a call, sends its first message and waits until it has joined.</summary>
    public async Task<Client> JoinAsync(string room, string user, string content = "", ChatDialect dialect = ChatDialect.Classic, long? resumeAfter = null)
    {
        var client = new Client(Handler, dialect);
        var hello = Message(content, user, room);
        if (resumeAfter is { } after) hello.ResumeAfter = after;
        await client.SendAsync(hello);
        await client.JoinedAsync();
        return client;
    }

    public async Task<ChatMessage[]> HistoryAsync(string room, long after = 0, int limit = 0)
    {
        using var call = new TestCall();
        return await Handler.GetHistory(new GetHistoryRequest { RoomId = room, AfterSequence = after, Limit = limit }, call).ToArrayAsync(Stop);
    }

    public async Task<Dictionary<string, (int Members, long Last)>> ListAsync()
    {
        using var call = new TestCall();
        return await Handler.ListRooms(new ListRoomsRequest(), call).ToDictionaryAsync(room => room.RoomId, room => (room.Members, room.LastSequence), cancellationToken: Stop);
    }

    public static ChatMessage Message(string content, string user = "", string room = "", long timestamp = 0) =>
        new() { Content = content, UserId = user, RoomId = room, Timestamp = timestamp };

    public async ValueTask DisposeAsync()
    {
        await Rooms.DisposeAsync();
        _log.Dispose();
        SqliteConnection.ClearAllPools();
        Directory.Delete(_root, recursive: true);
    }
}

/// <summary>One chat call with its two streams, read one message at a time.</summary>
sealed class Client : IAsyncDisposable
{
    readonly Channel<ChatMessage> _sent = Channel.CreateBounded<ChatMessage>(16);
    readonly IAsyncEnumerator<ChatMessage> _received;
    Task<bool> _next;

    public Client(ChatHandler handler, ChatDialect dialect, string? metadataUser = null)
    {
        if (metadataUser is not null) Call.RequestHeaders.Add("user-id", metadataUser);
        _received = handler.Chat(_sent.Reader.ReadAllAsync(CancellationToken.None), Call, dialect).GetAsyncEnumerator(CancellationToken.None);
        _next = _received.MoveNextAsync().AsTask();
    }

    public ChatCall Call { get; } = new();

    public ValueTask SendAsync(ChatMessage message) => _sent.Writer.WriteAsync(message, ChatFixture.Stop);

    /// <summary>Waits for the response's headers, or for the error that comes instead.</summary>
    public async Task JoinedAsync()
    {
        var first = await Task.WhenAny(Call.Joined, _next).WaitAsync(ChatFixture.Bound, ChatFixture.Stop);
        await first;
    }

    /// <summary>Ends or breaks the requests.</summary>
    public void Complete(Exception? error = null) => _sent.Writer.Complete(error);

    /// <summary>The next message; null at the end of the responses.</summary>
    public async Task<ChatMessage?> ReceiveAsync()
    {
        if (!await _next.WaitAsync(ChatFixture.Bound, ChatFixture.Stop)) return null;
        var message = _received.Current;
        _next = _received.MoveNextAsync().AsTask();
        return message;
    }

    public async Task<string?> ContentAsync() => (await ReceiveAsync())?.Content;

    /// <summary>Reads to the end and gives the status that the call ends with.</summary>
    public async Task<Status> StatusAsync()
    {
        try
        {
            while (await ReceiveAsync() is not null)
            {
            }

            await Call.EndAsync();
            return Status.Ok;
        }
        catch (RpcException e)
        {
            return e.Status;
        }
    }

    /// <summary>Leaves as a client that is gone: the call is cancelled.</summary>
    public async ValueTask DisposeAsync()
    {
        Call.Cancel();
        await ((Task)_next).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await _received.DisposeAsync();
        Call.Dispose();
    }
}

/// <summary>A call that owns tasks, as the engine's do.</summary>
sealed class ChatCall : ServerCall, IDisposable
{
    readonly CancellationTokenSource _cancelled = new();
    readonly CancellationTokenSource _draining = new();
    readonly TaskCompletionSource _joined = new(TaskCreationOptions.RunContinuationsAsynchronously);
    Task _work = Task.CompletedTask;

    public Task Joined => _joined.Task;

    public override string Method => "/weir.v1.ChatService/Chat";

    public override string Peer => "127.0.0.1:1";

    public override Metadata RequestHeaders { get; } = [];

    public override Metadata ResponseTrailers { get; } = [];

    public override DateTimeOffset? Deadline => null;

    public override CancellationToken CancellationToken => _cancelled.Token;

    public override CancellationToken Draining => _draining.Token;

    public void Cancel() => _cancelled.Cancel();

    public void Drain() => _draining.Cancel();

    public Task EndAsync() => _work.WaitAsync(ChatFixture.Bound);

    public override ValueTask SendHeadersAsync(Metadata headers)
    {
        _joined.SetResult();
        return ValueTask.CompletedTask;
    }

    public override void Run(Func<CancellationToken, Task> work) => _work = work(CancellationToken);

    public override ResponseSender<TResponse> GetSender<TResponse>() => throw new NotSupportedException();

    public void Dispose()
    {
        _cancelled.Dispose();
        _draining.Dispose();
    }
}
