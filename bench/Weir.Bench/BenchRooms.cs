using System.Collections.Concurrent;
using Weir.Classic;
using Weir.Rpc;

namespace Weir.Bench;

/// <summary>The room "echo" gives each message back; in any other room a message with content goes to all members, its sender included.</summary>
internal sealed class BenchRooms : ChatService.Server
{
    private readonly ConcurrentDictionary<string, Room> _rooms = new();

    public override async IAsyncEnumerable<ChatMessage> Chat(IAsyncEnumerable<ChatMessage> requests, ServerCall call)
    {
        Room? room = null;
        var self = call.GetSender<ChatMessage>();
        try
        {
            await foreach (var message in requests)
            {
                if (message.RoomId == Payload.Echo)
                {
                    yield return message;
                    continue;
                }

                if (room is null)
                {
                    room = _rooms.GetOrAdd(message.RoomId, _ => new Room());
                    room.Join(self);
                    await call.SendHeadersAsync([]); // says that the call has joined
                }

                if (message.Content.Length > 0)
                    await room.BroadcastAsync(message, call.CancellationToken);
            }
        }
        finally
        {
            room?.Leave(self);
        }
    }

    private sealed class Room
    {
        private readonly Lock _lock = new();
        private ResponseSender<ChatMessage>[] _members = []; // replaced under _lock, read without

        public void Join(ResponseSender<ChatMessage> member)
        {
            lock (_lock)
                _members = [.. _members, member];
        }

        public void Leave(ResponseSender<ChatMessage> member)
        {
            lock (_lock)
                _members = [.. _members.Where(other => other != member)];
        }

        /// <summary>Every member gets the message; a slow one makes the publisher wait, since the bench counts on each delivery.</summary>
        public async ValueTask BroadcastAsync(ChatMessage message, CancellationToken cancellationToken)
        {
            foreach (var member in Volatile.Read(ref _members))
            {
                if (member.TrySend(message))
                    continue;
                try
                {
                    await member.SendAsync(message, cancellationToken);
                }
                catch (RpcException)
                {
                    // That member's call has ended; its handler takes it out of the room.
                }
            }
        }
    }
}
