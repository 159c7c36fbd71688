using System.Diagnostics;
using Grpc.Core;
using Grpc.Net.Client;
using Weir.Classic;

namespace Weir.Bench;

/// <summary>What a client does in each mode, over one channel; in the mode conns it opens its own.</summary>
internal sealed class Workloads(int port, GrpcChannel channel)
{
    private readonly StreamService.StreamServiceClient _streams = new(channel);
    private readonly ChatService.ChatServiceClient _chat = new(channel);
    private readonly BenchService.BenchServiceClient _bench = new(channel);

    public static GrpcChannel Connect(int port) => GrpcChannel.ForAddress($"http://127.0.0.1:{port}", new GrpcChannelOptions
    {
        MaxReceiveMessageSize = Payload.MaxMessageBytes,
        DisposeHttpClient = true,
        HttpHandler = new SocketsHttpHandler { InitialHttp2StreamWindowSize = BenchServer.StreamWindowBytes, UseProxy = false },
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
        using var call = _streams.GetUserList(new GetUserListRequest { PageSize = users });
        var (received, bytes) = (0, 0);
        while (await call.ResponseStream.MoveNext(CancellationToken.None))
        {
            if (received++ > 0)
                continue;
            round.Answered();
            bytes = call.ResponseStream.Current.CalculateSize();
        }

        Expect("users received", users, received);
        round.Done(received, bytes);
    }

    private async Task CreateAsync(Round round, int users)
    {
        var user = Payload.User();
        using var call = _streams.CreateUsers();
        for (var i = 0; i < users; i++)
        {
            call.RequestStream.WriteOptions = Buffering.For(i, users);
            await call.RequestStream.WriteAsync(user);
        }

        await call.RequestStream.CompleteAsync();
        var answer = await call;
        round.Answered();
        Expect("users counted by the server", users, answer.Created);
        round.Done(users, user.CalculateSize());
    }

    private async Task UploadAsync(Round round, int chunks)
    {
        var chunk = Payload.Chunk(Payload.ChunkBytes);
        using var call = _streams.UploadFile();
        for (var i = 0; i < chunks; i++)
            await call.RequestStream.WriteAsync(chunk);
        await call.RequestStream.CompleteAsync();
        var answer = await call;
        round.Answered();
        Expect("bytes counted by the server", (long)chunks * Payload.ChunkBytes, answer.TotalSize);
        round.Done(chunks, Payload.ChunkBytes);
    }

    private async Task DownloadAsync(Round round, int chunks, int chunkBytes)
    {
        using var call = _bench.Download(new DownloadRequest { Chunks = chunks, ChunkBytes = chunkBytes });
        var total = 0L;
        while (await call.ResponseStream.MoveNext(CancellationToken.None))
        {
            round.Answered();
            total += call.ResponseStream.Current.Data.Length;
        }

        Expect("bytes received", (long)chunks * chunkBytes, total);
        round.Done(chunks, chunkBytes);
    }

    private async Task UnaryAsync(Round round, int calls)
    {
        var message = Payload.Message(Payload.Echo);
        for (var i = 0; i < calls; i++)
        {
            await _bench.EchoAsync(message);
            round.Answered();
        }

        round.Done(calls, message.CalculateSize());
    }

    private async Task ConnectAndPingAsync(Round round, int pings)
    {
        using var own = Connect(port);
        await PingAsync(round, new ChatService.ChatServiceClient(own), pings);
    }

    private static async Task PingAsync(Round round, ChatService.ChatServiceClient chat, int pings)
    {
        var message = Payload.Message(Payload.Echo);
        using var call = chat.Chat();
        for (var i = 0; i < pings; i++)
        {
            await call.RequestStream.WriteAsync(message);
            if (!await call.ResponseStream.MoveNext(CancellationToken.None))
                throw new InvalidDataException($"the stream ended after {i} of {pings} answers");
            round.Answered();
        }

        await FinishAsync(call);
        round.Done(pings, message.CalculateSize());
    }

    private async Task FanAsync(Round round)
    {
        var message = Payload.Message($"fan-{Stopwatch.GetTimestamp()}");
        var members = new List<AsyncDuplexStreamingCall<ChatMessage, ChatMessage>>(round.Width);
        try
        {
            for (var i = 0; i < round.Width; i++)
            {
                var call = _chat.Chat();
                members.Add(call);
                await call.RequestStream.WriteAsync(new ChatMessage { UserId = message.UserId, RoomId = message.RoomId });
            }

            foreach (var call in members)
                await call.ResponseHeadersAsync; // it has joined

            var received = members.Select(call => Task.Run(() => ReceiveAsync(round, call, message))).ToArray();
            for (var i = 0; i < round.Count; i++)
                await members[0].RequestStream.WriteAsync(message);
            await Task.WhenAll(received);
        }
        finally
        {
            foreach (var call in members)
                call.Dispose();
        }
    }

    private static async Task ReceiveAsync(Round round, AsyncDuplexStreamingCall<ChatMessage, ChatMessage> call, ChatMessage message)
    {
        for (var i = 0; i < round.Count; i++)
        {
            if (!await call.ResponseStream.MoveNext(CancellationToken.None))
                throw new InvalidDataException($"a member's stream ended after {i} of {round.Count} messages");
            round.Answered();
        }

        round.Done(round.Count, message.CalculateSize());
        // The first member's requests may still be open: it is the publisher, which has sent all when its own messages are back.
        await FinishAsync(call);
    }

    private static async Task FinishAsync(AsyncDuplexStreamingCall<ChatMessage, ChatMessage> call)
    {
        await call.RequestStream.CompleteAsync();
        if (await call.ResponseStream.MoveNext(CancellationToken.None))
            throw new InvalidDataException("a message came after the last one");
    }

    private static void Expect(string what, long wanted, long actual)
    {
        if (actual != wanted)
            throw new InvalidDataException($"{what}: {actual}, expected {wanted}");
    }
}
