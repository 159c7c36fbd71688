using System.Runtime.CompilerServices;
using Weir.V1;
using ChatCall = Weir.Rpc.DuplexStreamingCall<Weir.V1.ChatMessage, Weir.V1.ChatMessage>;

namespace Weir.Client;

/// <summary>One member in one room, across broken connections: what the others write arrives in order, without gap or repeat.
/// One loop reads; sending is safe from any number of threads beside it.</summary>
public sealed class ChatSession : IAsyncDisposable
{
    private readonly ChatService.Client _rooms;
    private readonly Reconnect _reconnect;
    private readonly string _room;
    private readonly string _user;
    private long _lastSequence; // owned by the reading loop
    private volatile Link _link = null!; // replaced by the reading loop
    private volatile bool _completing;

    private ChatSession(CallInvoker channel, string room, string user, ChatOptions options)
    {
        _rooms = new ChatService.Client(channel);
        _reconnect = new Reconnect(channel, options.Reconnect);
        _room = room;
        _user = user;
    }

    /// <summary>One connection's call, and where those who wait for the next one wait.</summary>
    private sealed class Link(ChatCall call)
    {
        public ChatCall Call { get; } = call;

        public TaskCompletionSource<Link> Next { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    /// <summary>Joins a room. The session begins once the server has answered.</summary>
    /// <exception cref="RpcException">The server refused, or could not be reached for <see cref="ReconnectOptions.GiveUpAfter"/>.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> fired.</exception>
    public static async Task<ChatSession> JoinAsync(
        CallInvoker channel, string room, string user, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(room);
        ArgumentException.ThrowIfNullOrEmpty(user);
        options ??= new ChatOptions();
        var session = new ChatSession(channel, room, user, options);
        session._link = await session._reconnect.RunAsync(
            async stop =>
            {
                // Known before the join, the room's end is a cursor for the time until the first message has come.
                session._lastSequence = options.ResumeAfter ?? await session.FindEndAsync(stop).ConfigureAwait(false);
                return await session.OpenAsync(stop).ConfigureAwait(false);
            },
            cancellationToken).ConfigureAwait(false);
        return session;
    }

    /// <summary>What the others write, and who comes and goes, until <see cref="CompleteAsync"/>; enumerated once. This loop also brings the
    /// session back after a break, so it should run for as long as the session is used. Messages under the own user id are left out.</summary>
    /// <exception cref="RpcException">The server refused, or could not be reached for <see cref="ReconnectOptions.GiveUpAfter"/>.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> fired.</exception>
    public async IAsyncEnumerable<ChatMessage> ReadAllAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        while (true)
        {
            var link = _link;
            var began = _reconnect.Now();
            var messages = link.Call.Responses.GetAsyncEnumerator(cancellationToken);
            await using var _ = messages.ConfigureAwait(false);
            RpcException? broken = null;
            while (true)
            {
                try
                {
                    if (!await messages.MoveNextAsync().ConfigureAwait(false))
                        break;
                }
                catch (RpcException e)
                {
                    broken = e;
                    break;
                }

                if (IsNews(messages.Current))
                {
                    _reconnect.Progress();
                    yield return messages.Current;
                }
            }

            if (_completing && broken is null)
                yield break;
            _reconnect.Held(began);
            await ReopenAsync(link, broken ?? new RpcException(StatusCode.Unavailable, "The server ended the chat."), cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Sends a message to the others. While the connection is broken it waits for the next one. A message that was handed over
    /// just before a break may be lost: the protocol has no receipt.</summary>
    /// <exception cref="RpcException">The server refused, or the reading loop has given up.</exception>
    /// <exception cref="InvalidOperationException">After <see cref="CompleteAsync"/>.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> fired.</exception>
    public async ValueTask SendAsync(string content, CancellationToken cancellationToken = default)
    {
        if (_completing)
            throw new InvalidOperationException("The chat was completed; nothing can be sent any more.");
        var message = new ChatMessage { UserId = _user, RoomId = _room, Content = content };
        var link = _link;
        while (true)
        {
            try
            {
                await link.Call.SendAsync(message, cancellationToken).ConfigureAwait(false);
                return;
            }
            catch (RpcException) when (!_completing && !cancellationToken.IsCancellationRequested)
            {
                // The reading loop sees the same break and decides whether there is a next call.
                link = await link.Next.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
            }
        }
    }

    /// <summary>Leaves once everything sent is out: the server ends the stream, and with it <see cref="ReadAllAsync"/>.</summary>
    /// <exception cref="RpcException">The connection is broken.</exception>
    public ValueTask CompleteAsync(CancellationToken cancellationToken = default)
    {
        _completing = true;
        return _link.Call.CompleteAsync(cancellationToken);
    }

    /// <summary>Leaves at once.</summary>
    public ValueTask DisposeAsync()
    {
        _completing = true;
        return _link.Call.DisposeAsync();
    }

    private async Task ReopenAsync(Link link, RpcException broken, CancellationToken cancellationToken)
    {
        try
        {
            if (_completing)
                throw broken;
            await _reconnect.WaitAsync(broken, cancellationToken).ConfigureAwait(false);
            _link = await _reconnect.RunAsync(OpenAsync, cancellationToken).ConfigureAwait(false);
            link.Next.SetResult(_link);
        }
        catch (Exception e)
        {
            link.Next.SetException(e);
            _ = link.Next.Task.Exception; // seen: there may be no sender to see it
            throw;
        }
    }

    private async Task<Link> OpenAsync(CancellationToken cancellationToken)
    {
        var call = _rooms.Chat(cancellationToken: cancellationToken);
        try
        {
            await call.SendAsync(new ChatMessage { UserId = _user, RoomId = _room, ResumeAfter = _lastSequence }, cancellationToken).ConfigureAwait(false);
            await call.GetResponseHeadersAsync().ConfigureAwait(false); // they come once the join is done
            _reconnect.Contact();
            return new Link(call);
        }
        catch
        {
            await call.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    private async Task<long> FindEndAsync(CancellationToken cancellationToken)
    {
        long end = 0;
        var history = _rooms.GetHistory(new GetHistoryRequest { RoomId = _room, Limit = 1 }, cancellationToken: cancellationToken);
        await foreach (var message in history.WithCancellation(cancellationToken).ConfigureAwait(false))
            end = message.Sequence;
        return end;
    }

    private bool IsNews(ChatMessage message)
    {
        if (message.Sequence != 0)
        {
            if (message.Sequence <= _lastSequence)
                return false;
            _lastSequence = message.Sequence;
        }

        return message.UserId != _user;
    }
}
