using System.Collections.Concurrent;
using Weir.Classic;
using Weir.Rpc;

namespace Weir.Bench;

/// <summary>The room "echo" gives each message back; in any other room a message with content goes to all members, its sender included.</summary>
internal sealed class BenchRooms : ChatService.Server
{
    private readonly ConcurrentDictionary<string, Room> _rooms = new();

    // So many messages at most go to one member before the next member has its turn.
    private const int MostMessagesAtOnce = 64;

    public override async IAsyncEnumerable<ChatMessage> Chat(IAsyncEnumerable<ChatMessage> requests, ServerCall call)
    {
        await using var received = requests.GetAsyncEnumerator(call.CancellationToken);
        if (!await received.MoveNextAsync())
            yield break;
        if (received.Current.RoomId != Payload.Echo)
        {
            await TakePartAsync(received, call);
            yield break;
        }

        do
            yield return received.Current;
        while (await received.MoveNextAsync());
    }

    private async Task TakePartAsync(IAsyncEnumerator<ChatMessage> received, ServerCall call)
    {
        var room = _rooms.GetOrAdd(received.Current.RoomId, _ => new Room());
        var self = call.GetSender<ChatMessage>();
        var messages = new List<SharedMessage<ChatMessage>>();
        room.Join(self);
        await call.SendHeadersAsync([]); // says that the call has joined
        try
        {
            while (true)
            {
                if (received.Current.Content.Length > 0)
                    messages.Add(new SharedMessage<ChatMessage>(received.Current));

                // What has come by now is broadcast together.
                var next = received.MoveNextAsync();
                if (messages.Count == MostMessagesAtOnce || (messages.Count > 0 && !next.IsCompleted))
                {
                    await room.BroadcastAsync(messages.ToArray(), call.CancellationToken);
                    messages.Clear();
                }

                if (!await next)
                    break;
            }

            await room.BroadcastAsync(messages.ToArray(), call.CancellationToken);
        }
        finally
        {
            room.Leave(self);
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

        /// <summary>Every member gets the messages; a slow one makes the publisher wait, since the bench counts on each delivery.</summary>
        public async ValueTask BroadcastAsync(ReadOnlyMemory<SharedMessage<ChatMessage>> messages, CancellationToken cancellationToken)
        {
            foreach (var member in Volatile.Read(ref _members))
            {
                try
                {
                    await member.SendAsync(messages, cancellationToken);
                }
                catch (Exception error) when (error is RpcException or InvalidOperationException)
                {
                    // That member's call has ended; its handler takes it out of the room.
                }
            }
        }
    }
}
