using System.Diagnostics;
using Weir.Classic;
using Weir.Rpc;

namespace Weir.Bench;

/// <summary>What a client does in each mode, over one channel; in the mode conns it opens its own.</summary>
internal sealed class Workloads(int port, RpcChannel channel)
{
    private readonly StreamService.Client _streams = new(channel);
    private readonly ChatService.Client _chat = new(channel);
    private readonly BenchService.Client _bench = new(channel);

    public static RpcChannel Connect(int port) => RpcChannel.ForAddress($"http://{BenchServer.Host}:{port}", new RpcChannelOptions
    {
        MaxConnections = 1,
        MaxWaitingCalls = Payload.MaxStreams,
        MaxReceiveMessageBytes = Payload.MaxMessageBytes,
    });

    /// <summary>The mode's workload, or null where there is no such mode.</summary>
    public Func<Round, Task>? Find(string mode) => mode switch
    {
        "list" => round => round.SpreadAsync(share => ListAsync(round, share)),
        "create" => round => round.SpreadAsync(share => CreateAsync(round, share)),
        "upload" => round => round.SpreadAsync(share => UploadAsync(round, share)),
        "download" => round => round.SpreadAsync(share => DownloadAsync(round, share, Payload.ChunkBytes)),
        "large" => round => round.SpreadAsync(share => DownloadAsync(round, share, Payload.LargeBytes)),
        "unary" => round => round.SpreadAsync(share => UnaryAsync(round, share)),
        "ping" => round => round.SpreadAsync(share => PingAsync(round, _chat, share)),
        "conns" => round => round.SpreadAsync(share => ConnectAndPingAsync(round, share)),
        "fan" => FanAsync,
        _ => null,
    };

    private async Task ListAsync(Round round, int users)
    {
        var (received, bytes) = (0, 0);
        await foreach (var user in _streams.GetUserList(new GetUserListRequest { PageSize = users }))
        {
            if (received++ > 0)
                continue;
            round.Answered();
            bytes = user.CalculateSize();
        }

        Expect("users received", users, received);
        round.Done(received, bytes);
    }

    private async Task CreateAsync(Round round, int users)
    {
        var user = Payload.User();
        await using var call = _streams.CreateUsers();
        for (var i = 0; i < users; i++)
            await call.SendAsync(user);
        var answer = await call.CompleteAsync();
        round.Answered();
        Expect("users counted by the server", users, answer.Created);
        round.Done(users, user.CalculateSize());
    }

    private async Task UploadAsync(Round round, int chunks)
    {
        var chunk = Payload.Chunk(Payload.ChunkBytes);
        await using var call = _streams.UploadFile();
        for (var i = 0; i < chunks; i++)
            await call.SendAsync(chunk);
        var answer = await call.CompleteAsync();
        round.Answered();
        Expect("bytes counted by the server", (long)chunks * Payload.ChunkBytes, answer.TotalSize);
        round.Done(chunks, Payload.ChunkBytes);
    }

    private async Task DownloadAsync(Round round, int chunks, int chunkBytes)
    {
        var total = 0L;
        await foreach (var chunk in _bench.Download(new DownloadRequest { Chunks = chunks, ChunkBytes = chunkBytes }))
        {
            round.Answered();
            total += chunk.Data.Length;
        }

        Expect("bytes received", (long)chunks * chunkBytes, total);
        round.Done(chunks, chunkBytes);
    }

    private async Task UnaryAsync(Round round, int calls)
    {
        var message = Payload.Message(Payload.Echo);
        for (var i = 0; i < calls; i++)
        {
            await _bench.Echo(message);
            round.Answered();
        }

        round.Done(calls, message.CalculateSize());
    }

    private async Task ConnectAndPingAsync(Round round, int pings)
    {
        await using var own = Connect(port);
        await PingAsync(round, new ChatService.Client(own), pings);
    }

    private static async Task PingAsync(Round round, ChatService.Client chat, int pings)
    {
        var message = Payload.Message(Payload.Echo);
        await using var call = chat.Chat();
        await using var answers = call.Responses.GetAsyncEnumerator();
        for (var i = 0; i < pings; i++)
        {
            await call.SendAsync(message);
            if (!await answers.MoveNextAsync())
                throw new InvalidDataException($"the stream ended after {i} of {pings} answers");
            round.Answered();
        }

        await FinishAsync(call, answers);
        round.Done(pings, message.CalculateSize());
    }

    private async Task FanAsync(Round round)
    {
        var message = Payload.Message($"fan-{Stopwatch.GetTimestamp()}");
        var members = new List<DuplexStreamingCall<ChatMessage, ChatMessage>>(round.Width);
        try
        {
            for (var i = 0; i < round.Width; i++)
            {
                var call = _chat.Chat();
                members.Add(call);
                await call.SendAsync(new ChatMessage { UserId = message.UserId, RoomId = message.RoomId });
            }

            foreach (var call in members)
                await call.GetResponseHeadersAsync(); // it has joined

            var received = members.Select(call => Task.Run(() => ReceiveAsync(round, call, message))).ToArray();
            for (var i = 0; i < round.Count; i++)
                await members[0].SendAsync(message);
            await Task.WhenAll(received);
        }
        finally
        {
            foreach (var call in members)
                await call.DisposeAsync();
        }
    }

    private static async Task ReceiveAsync(Round round, DuplexStreamingCall<ChatMessage, ChatMessage> call, ChatMessage message)
    {
        await using var messages = call.Responses.GetAsyncEnumerator();
        for (var i = 0; i < round.Count; i++)
        {
            if (!await messages.MoveNextAsync())
                throw new InvalidDataException($"a member's stream ended after {i} of {round.Count} messages");
            round.Answered();
        }

        round.Done(round.Count, message.CalculateSize());
        // The first member's requests may still be open: it is the publisher, which has sent all when its own messages are back.
        await FinishAsync(call, messages);
    }

    private static async Task FinishAsync(DuplexStreamingCall<ChatMessage, ChatMessage> call, IAsyncEnumerator<ChatMessage> answers)
    {
        await call.CompleteAsync();
        if (await answers.MoveNextAsync())
            throw new InvalidDataException("a message came after the last one");
    }

    private static void Expect(string what, long wanted, long actual)
    {
        if (actual != wanted)
            throw new InvalidDataException($"{what}: {actual}, expected {wanted}");
    }
}
