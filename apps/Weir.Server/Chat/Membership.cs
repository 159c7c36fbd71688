using System.Runtime.CompilerServices;
using Weir.Rpc;
using Weir.Streams;
using Weir.V1;

namespace Weir.Server.Chat;

/// <summary>One call's presence in one room. The same user may be there with several calls; each gets what the others send.</summary>
sealed class Membership(ChatRooms rooms, string roomId, string userId, ChatDialect dialect, int maxLagMessages) : IAsyncDisposable
{
    readonly CancellationTokenSource _failed = new(); // has no timer and no handle: needs no disposing, and the writer may be late
    readonly Queue<long> _own = new(); // sequences of its own messages that it has not passed in reading; guarded by itself
    Room? _room;
    RoomPlace _joined;
    RpcException? _failure;

    public string RoomId => roomId;

    public string UserId => userId;

    /// <summary>The room; set once the member has joined.</summary>
    public Room Room => _room ?? throw new InvalidOperationException("The member has not joined.");

    /// <summary>Sends to the others in the room. Waits while the log does not keep up.</summary>
    /// <param name="message">A message that nobody else has; it is the room's from now on.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public ValueTask SendAsync(ChatMessage message, CancellationToken cancellationToken)
    {
        message.UserId = userId;
        message.RoomId = roomId;
        message.Kind = ChatMessage.Types.Kind.Message;
        message.ClearResumeAfter();
        return rooms.SendAsync(this, message, cancellationToken);
    }

    /// <summary>What the others say from the moment of joining on.</summary>
    /// <param name="resumeAfter">The sequence after which the room's kept messages come first; null for none.</param>
    /// <param name="stopping">Ends the enumeration normally, after what was published until then.</param>
    /// <param name="cancellationToken">Ends the enumeration.</param>
    /// <exception cref="RpcException">ResourceExhausted: the member lags more than is allowed. OutOfRange: there is no such sequence
    /// yet. Unavailable: one of its messages could not be stored.</exception>
    public async IAsyncEnumerable<SharedMessage<ChatMessage>> ReceiveAsync(
        long? resumeAfter,
        CancellationToken stopping,
        [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(stopping, _failed.Token);
        var seen = _joined.MessageSequence;
        if (resumeAfter is { } after)
        {
            if (after > seen)
                throw new RpcException(StatusCode.OutOfRange, $"resume_after is {after}, the last sequence of room '{roomId}' is {seen}");
            await foreach (var message in rooms.ReadLogAsync(roomId, after, seen, cancellationToken))
                yield return new SharedMessage<ChatMessage>(message);
        }

        await foreach (var item in Room.Feed.Subscribe(_joined.FeedSequence, null, ending.Token, cancellationToken))
        {
            var message = item.Value.Message;
            if (item.Dropped > 0)
            {
                // The ring has gone on without it: what it missed is in the log. While that is sent, the same may happen again.
                CheckLag(item);
                var last = message.Kind == ChatMessage.Types.Kind.Message ? message.Sequence - 1 : message.Sequence;
                await foreach (var missed in rooms.ReadLogAsync(roomId, seen, last, cancellationToken))
                {
                    if (!IsOwn(missed.Sequence)) yield return new SharedMessage<ChatMessage>(missed);
                }
            }

            seen = message.Sequence;
            if (IsForMe(message, item.Value.Sender)) yield return item.Value.Shared;
        }

        if (_failure is not null) throw _failure;
    }

    /// <summary>Leaves the room; the others are told after this member's last message.</summary>
    public ValueTask DisposeAsync() => rooms.LeaveAsync(this);

    /// <summary>Says where the member joined. Called by the writer, before the member reads.</summary>
    internal void Enter(Room room, RoomPlace place)
    {
        _room = room;
        _joined = place;
    }

    /// <summary>Ends the member's call. Called by the writer, before it handles the member's leaving.</summary>
    internal void Fail(RpcException failure)
    {
        _failure ??= failure;
        _failed.Cancel();
    }

    /// <summary>Says which sequence one of the member's own messages got. Called by the writer, before the message is published.</summary>
    internal void Said(long sequence)
    {
        lock (_own)
        {
            if (_own.Count < maxLagMessages) _own.Enqueue(sequence); // with more it lags too far anyway
        }
    }

    void CheckLag(FeedItem<RoomEvent> next)
    {
        var lag = next.Dropped + 1 + Room.Feed.LastSequence - next.Sequence;
        if (lag > maxLagMessages)
            throw new RpcException(StatusCode.ResourceExhausted, $"the member is {lag} messages behind, at most {maxLagMessages} are allowed");
    }

    bool IsForMe(ChatMessage message, Membership sender) => message.Kind == ChatMessage.Types.Kind.Message
        ? !IsOwn(message.Sequence)
        : sender != this && dialect == ChatDialect.V1;

    /// <summary>Whether the member itself has sent a message. Asked in the order of the sequences.</summary>
    bool IsOwn(long sequence)
    {
        lock (_own)
        {
            while (_own.TryPeek(out var own) && own < sequence) _own.Dequeue();
            return _own.TryPeek(out var next) && next == sequence;
        }
    }
}
