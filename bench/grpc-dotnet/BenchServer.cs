using System.Collections.Concurrent;
using System.Net;
using System.Threading.Channels;
using Grpc.Core;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Weir.Classic;

namespace Weir.Bench;

/// <summary>The bench contract on Grpc.AspNetCore.Server, with the windows at which it is fastest here.</summary>
internal static class BenchServer
{
    public const int StreamWindowBytes = 4 << 20;

    private const int ConnectionWindowBytes = 8 << 20;

    /// <summary>Serves on 127.0.0.1 until Ctrl-C or SIGTERM.</summary>
    public static async Task RunAsync(int port)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.SetMinimumLevel(LogLevel.Warning);
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.Limits.Http2.MaxStreamsPerConnection = Payload.MaxStreams;
            kestrel.Limits.Http2.InitialStreamWindowSize = StreamWindowBytes;
            kestrel.Limits.Http2.InitialConnectionWindowSize = ConnectionWindowBytes;
            kestrel.Limits.MaxResponseBufferSize = Buffering.ResponseBytes;
            kestrel.Limits.MaxRequestBodySize = null;
            kestrel.Limits.MinRequestBodyDataRate = null;
            kestrel.Limits.MinResponseDataRate = null;
            kestrel.Listen(IPAddress.Loopback, port, listen => listen.Protocols = HttpProtocols.Http2);
        });
        builder.Services.AddGrpc(options => options.MaxReceiveMessageSize = Payload.MaxMessageBytes);
        await using var app = builder.Build();
        app.MapGrpcService<Streams>();
        app.MapGrpcService<Calls>();
        app.MapGrpcService<Chats>();
        await app.StartAsync();
        Console.WriteLine($"listening {port}");
        await app.WaitForShutdownAsync();
    }
}

internal sealed class Streams : StreamService.StreamServiceBase
{
    public override async Task GetUserList(GetUserListRequest request, IServerStreamWriter<User> responseStream, ServerCallContext context)
    {
        var user = Payload.User();
        for (var i = 0; i < request.PageSize; i++)
        {
            responseStream.WriteOptions = Buffering.For(i, request.PageSize);
            await responseStream.WriteAsync(user);
        }
    }

    public override async Task<CreateUsersResponse> CreateUsers(IAsyncStreamReader<User> requestStream, ServerCallContext context)
    {
        var created = 0L;
        while (await requestStream.MoveNext())
            created++;
        return new CreateUsersResponse { Created = created };
    }

    public override async Task<UploadResponse> UploadFile(IAsyncStreamReader<FileChunk> requestStream, ServerCallContext context)
    {
        var total = 0L;
        while (await requestStream.MoveNext())
            total += requestStream.Current.Data.Length;
        return new UploadResponse { FileId = "bench", TotalSize = total };
    }
}

internal sealed class Calls : BenchService.BenchServiceBase
{
    public override async Task Download(DownloadRequest request, IServerStreamWriter<FileChunk> responseStream, ServerCallContext context)
    {
        var chunk = Payload.Chunk(request.ChunkBytes);
        for (var i = 0L; i < request.Chunks; i++)
            await responseStream.WriteAsync(chunk);
    }

    public override Task<ChatMessage> Echo(ChatMessage request, ServerCallContext context) => Task.FromResult(request);
}

/// <summary>The room "echo" gives each message back; in any other room a message with content goes to all members, its sender included.</summary>
internal sealed class Chats : ChatService.ChatServiceBase
{
    private const int MemberQueueMessages = 4096; // how far a member may lag before the publisher waits for it

    private static readonly ConcurrentDictionary<string, ConcurrentDictionary<Channel<ChatMessage>, bool>> Rooms = new();

    public override async Task Chat(
        IAsyncStreamReader<ChatMessage> requestStream, IServerStreamWriter<ChatMessage> responseStream, ServerCallContext context)
    {
        if (!await requestStream.MoveNext())
            return;
        var message = requestStream.Current;
        if (message.RoomId == Payload.Echo)
        {
            do
                await responseStream.WriteAsync(requestStream.Current);
            while (await requestStream.MoveNext());
            return;
        }

        var room = Rooms.GetOrAdd(message.RoomId, _ => new ConcurrentDictionary<Channel<ChatMessage>, bool>());
        var queue = Channel.CreateBounded<ChatMessage>(new BoundedChannelOptions(MemberQueueMessages) { SingleReader = true });
        room[queue] = true;
        var sending = SendAllAsync(queue.Reader, responseStream);
        try
        {
            await context.WriteResponseHeadersAsync([]); // says that the call has joined
            do
            {
                if (requestStream.Current.Content.Length > 0)
                    await BroadcastAsync(room, requestStream.Current, context.CancellationToken);
            }
            while (await requestStream.MoveNext());
        }
        finally
        {
            room.TryRemove(queue, out _);
            queue.Writer.TryComplete();
            await sending;
        }
    }

    private static async Task BroadcastAsync(
        ConcurrentDictionary<Channel<ChatMessage>, bool> room, ChatMessage message, CancellationToken cancellationToken)
    {
        foreach (var (member, _) in room)
        {
            if (member.Writer.TryWrite(message))
                continue;
            try
            {
                await member.Writer.WriteAsync(message, cancellationToken);
            }
            catch (ChannelClosedException)
            {
                // That member has left.
            }
        }
    }

    /// <summary>What is there goes out with one flush, after the last of it.</summary>
    private static async Task SendAllAsync(ChannelReader<ChatMessage> queue, IServerStreamWriter<ChatMessage> responses)
    {
        while (await queue.WaitToReadAsync())
        {
            while (queue.TryRead(out var message))
            {
                responses.WriteOptions = queue.TryPeek(out _) ? Buffering.Hold : WriteOptions.Default;
                await responses.WriteAsync(message);
            }
        }
    }
}
