using System.Runtime.CompilerServices;
using Weir.Rpc;
using Weir.V1;

namespace Weir.Server.Chat;

/// <summary>The chat calls: rooms in which a message goes to everybody else.</summary>
sealed class ChatHandler(ChatRooms rooms, ChatLog log) : ChatService.Server
{
    public override IAsyncEnumerable<ChatMessage> Chat(IAsyncEnumerable<ChatMessage> requests, ServerCall call) =>
        Chat(requests, call, ChatDialect.V1);

    /// <summary>
    /// Joins the room of the first message. The end of the requests is the member's leaving: the responses end after what was published
    /// until then. A server that drains ends them in the same way.
    /// </summary>
    public IAsyncEnumerable<ChatMessage> Chat(IAsyncEnumerable<ChatMessage> requests, ServerCall call, ChatDialect dialect) =>
        TakePartAsync(requests, call, dialect).ToResponses();

    async IAsyncEnumerable<SharedMessage<ChatMessage>> TakePartAsync(
        IAsyncEnumerable<ChatMessage> requests,
        ServerCall call,
        ChatDialect dialect,
        [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(call.CancellationToken, cancellationToken);
        using var left = CancellationTokenSource.CreateLinkedTokenSource(call.Draining);
        await using var sent = requests.GetAsyncEnumerator(stop.Token);
        if (!await sent.MoveNextAsync()) yield break;

        var hello = sent.Current;
        var resumeAfter = hello.HasResumeAfter ? hello.ResumeAfter : (long?)null;
        if (resumeAfter < 0) throw ChatRules.Invalid($"resume_after is {resumeAfter}, 0 or more is allowed");
        var room = ChatRules.RoomOf(hello);
        await using var member = await rooms.JoinAsync(room, ChatRules.UserOf(hello, call), dialect, call.CancellationToken);
        await call.SendHeadersAsync([]);

        // The call owns the task and takes its failure as its own; this side waits for its end before the member leaves.
        var sending = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        call.Run(_ => SendAsync(sent, member, left, sending, stop.Token));
        try
        {
            await foreach (var message in member.ReceiveAsync(resumeAfter, left.Token, stop.Token))
                yield return message;
        }
        finally
        {
            await stop.CancelAsync();
            await sending.Task;
        }
    }

    public override async IAsyncEnumerable<ChatMessage> GetHistory(GetHistoryRequest request, ServerCall call)
    {
        ChatRules.CheckId("room_id", request.RoomId);
        if (request.AfterSequence < 0) throw ChatRules.Invalid($"after_sequence is {request.AfterSequence}, 0 or more is allowed");
        if (request.Limit < 0) throw ChatRules.Invalid($"limit is {request.Limit}, 0 or more is allowed");
        var last = log.LastSequence(request.RoomId);
        var after = request.Limit == 0 ? request.AfterSequence : Math.Max(request.AfterSequence, last - request.Limit);
        await foreach (var message in rooms.ReadLogAsync(request.RoomId, after, last, call.CancellationToken))
            yield return message;
    }

    public override IAsyncEnumerable<V1.Room> ListRooms(ListRoomsRequest request, ServerCall call) =>
        List(call.CancellationToken).ToAsyncEnumerable();

    static async Task SendAsync(
        IAsyncEnumerator<ChatMessage> sent,
        Membership member,
        CancellationTokenSource left,
        TaskCompletionSource done,
        CancellationToken stop)
    {
        try
        {
            do
            {
                var message = sent.Current;
                ChatRules.CheckMessage(message, member.RoomId);
                if (message.Content.Length != 0) await member.SendAsync(message, stop);
            }
            while (await sent.MoveNextAsync());
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // The responses have ended, or the call: whoever ended it says why.
        }
        finally
        {
            await left.CancelAsync();
            done.SetResult();
        }
    }

    // Rooms that nobody has said anything in are only in memory, rooms that nobody is in only in the log.
    IEnumerable<V1.Room> List(CancellationToken cancellationToken)
    {
        foreach (var room in rooms.Open.Where(room => room.End.MessageSequence == 0))
            yield return new V1.Room { RoomId = room.Id, Members = room.Members };
        for (var id = log.RoomAfter(""); id is not null; id = log.RoomAfter(id))
        {
            cancellationToken.ThrowIfCancellationRequested();
            yield return new V1.Room { RoomId = id, Members = rooms.Find(id)?.Members ?? 0, LastSequence = log.LastSequence(id) };
        }
    }
}
