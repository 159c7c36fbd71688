using Weir.Rpc;
using Weir.Streams;
using Weir.V1;

namespace Weir.Server.Chat;

/// <summary>What happened in a room: a message or a notice, and whose.</summary>
sealed class RoomEvent(ChatMessage message, Membership sender)
{
    public ChatMessage Message => message;

    public Membership Sender => sender;

    /// <summary>The message as all members' calls send it: serialised once.</summary>
    public SharedMessage<ChatMessage> Shared { get; } = new(message);
}

/// <summary>A place in a room: in its feed, and in its log of messages. Notices are in the feed only.</summary>
readonly record struct RoomPlace(long FeedSequence, long MessageSequence);

/// <summary>A room that has members. Changed by the one writer of <see cref="ChatRooms"/>, read by any thread.</summary>
sealed class Room(string id, long lastSequence, int ringMessages)
{
    readonly Lock _gate = new();
    long _lastSequence = lastSequence;
    volatile int _members;

    public string Id => id;

    /// <summary>How many are in the room. A user who is there twice counts twice.</summary>
    public int Members => _members;

    /// <summary>Everything that happens, for those who are there. Who misses something here finds it in the log.</summary>
    public Feed<RoomEvent> Feed { get; } = new(ringMessages, FeedPolicy.DropOldest<RoomEvent>());

    /// <summary>The place after everything that was published so far.</summary>
    public RoomPlace End
    {
        get
        {
            lock (_gate) return new RoomPlace(Feed.LastSequence, _lastSequence);
        }
    }

    /// <summary>Publishes a message that is stored, with the next sequence.</summary>
    public void Publish(ChatMessage message, Membership sender)
    {
        lock (_gate)
        {
            _lastSequence = message.Sequence;
            Feed.Publish(new RoomEvent(message, sender));
        }
    }

    public void Enter() => _members++;

    public void Leave() => _members--;
}
