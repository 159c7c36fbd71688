using Google.Protobuf;
using Weir.Classic;
using Weir.Rpc;

namespace Weir.Interop.Tests;

/// <summary>Weir's client against servers of other gRPC libraries, each in a process of its own: what goes well.</summary>
public sealed class PeerServerTests
{
    private const int SeededUsers = 1000;

    public static TheoryData<string> Peers => ["go", "python"];

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [MemberData(nameof(Peers))]
    public async Task Server_stream_comes_whole_and_in_order(string peer)
    {
        await using var server = await PeerServer.StartAsync(peer);
        var users = await new StreamService.Client(server.Channel).GetUserList(new() { PageSize = 7 }, cancellationToken: Stop).ToListAsync(Stop);

        Assert.Equal(Enumerable.Range(1, SeededUsers), users.Select(user => user.Id));
        Assert.Equal(new User { Id = 1000, Name = "User 1000", Email = "user1000@example.com" }, users[^1]);
    }

    [Theory]
    [MemberData(nameof(Peers))]
    public async Task Client_stream_is_counted_and_kept_by_the_server(string peer)
    {
        await using var server = await PeerServer.StartAsync(peer);
        var streams = new StreamService.Client(server.Channel);
        await using var call = streams.CreateUsers(cancellationToken: Stop);
        for (var i = 0; i < 5000; i++)
            await call.SendAsync(new User { Name = $"Zoë {i}", Email = $"zoe{i}@example.com" }, Stop);

        Assert.Equal(5000, (await call.CompleteAsync(Stop)).Created);
        var users = await streams.GetUserList(new(), cancellationToken: Stop).ToListAsync(Stop);
        Assert.Equal(SeededUsers + 5000, users.Count);
        Assert.Equal("Zoë 4999", users[^1].Name);
    }

    [Theory]
    [InlineData("go", "gzip")]
    [InlineData("python", "gzip")]
    [InlineData("python", "deflate")]
    public async Task Compressed_requests_are_read_by_the_server(string peer, string name)
    {
        await using var server = await PeerServer.StartAsync(peer);
        var options = new CallOptions { Compression = name == "gzip" ? MessageCompression.Gzip : MessageCompression.Deflate };
        var streams = new StreamService.Client(server.Channel);
        await using var call = streams.CreateUsers(options, Stop);
        for (var i = 0; i < 200; i++)
            await call.SendAsync(new User { Name = new string('z', i * 10), Email = "z@example.com" }, uncompressed: i % 3 == 1, Stop);

        Assert.Equal(200, (await call.CompleteAsync(Stop)).Created);
        var users = await streams.GetUserList(new(), cancellationToken: Stop).ToListAsync(Stop);
        Assert.Equal(Enumerable.Range(0, 200).Select(i => i * 10), users.TakeLast(200).Select(user => user.Name.Length));
    }

    [Fact]
    public async Task Responses_of_Go_are_compressed_as_the_request_is()
    {
        await using var server = await PeerServer.StartAsync("go");
        await using var call = new StreamService.Client(server.Channel).GetUserList(new() { PageSize = 7 }, new CallOptions { Compression = MessageCompression.Gzip }, Stop);
        Assert.Equal(SeededUsers, (await call.ToListAsync(Stop)).Count);
        Assert.Equal(SeededUsers, call.CompressedResponses);
    }

    [Theory]
    [MemberData(nameof(Peers))]
    public async Task Client_stream_without_a_message_ends_well(string peer)
    {
        await using var server = await PeerServer.StartAsync(peer);
        await using var call = new StreamService.Client(server.Channel).CreateUsers(cancellationToken: Stop);

        Assert.Equal(0, (await call.CompleteAsync(Stop)).Created);
    }

    [Theory]
    [InlineData("go", 64 * 1024, 200)]
    [InlineData("python", 64 * 1024, 200)]
    [InlineData("go", 3 * 1024 * 1024, 4)] // larger than any window
    [InlineData("python", 3 * 1024 * 1024, 4)]
    public async Task Upload_of_chunks_arrives_complete(string peer, int chunkBytes, int count)
    {
        await using var server = await PeerServer.StartAsync(peer);
        await using var call = new StreamService.Client(server.Channel).UploadFile(cancellationToken: Stop);
        for (var i = 0; i < count; i++)
            await call.SendAsync(new FileChunk { FileName = "x.bin", Data = ByteString.CopyFrom(new byte[chunkBytes]), ChunkNumber = i }, Stop);

        var answer = await call.CompleteAsync(Stop);
        Assert.Equal((long)chunkBytes * count, answer.TotalSize);
        Assert.Equal("stored x.bin", answer.Message);
    }

    [Theory]
    [MemberData(nameof(Peers))]
    public async Task Prices_of_both_services_end_with_the_stream(string peer)
    {
        await using var server = await PeerServer.StartAsync(peer);
        var request = new StockRequest { Symbol = "AAPL" };
        var first = await new StreamService.Client(server.Channel).GetStockPrices(request, cancellationToken: Stop).ToListAsync(Stop);
        var second = await new StockService.Client(server.Channel).GetRealTimePrices(request, cancellationToken: Stop).ToListAsync(Stop);

        Assert.Equal([100, 101, 102, 103, 104], first.Select(price => price.Price));
        Assert.Equal([100, 101, 102, 103, 104], second.Select(price => price.Price));
    }

    [Theory]
    [MemberData(nameof(Peers))]
    public async Task Duplex_messages_come_back_while_more_are_sent(string peer)
    {
        await using var server = await PeerServer.StartAsync(peer);
        await using var call = new ChatService.Client(server.Channel).Chat(cancellationToken: Stop);
        await using var answers = call.Responses.GetAsyncEnumerator(Stop);
        string[] contents = ["a", "取引", new string('x', 3 * 1024 * 1024), "z"];
        foreach (var content in contents)
        {
            await call.SendAsync(new ChatMessage { UserId = "weir", RoomId = "echo", Content = content }, Stop);
            Assert.True(await answers.MoveNextAsync());
            Assert.Equal(content, answers.Current.Content);
        }

        await call.CompleteAsync(Stop);
        Assert.False(await answers.MoveNextAsync());
    }

    [Theory]
    [MemberData(nameof(Peers))]
    public async Task Chat_reaches_the_other_member_and_not_the_sender(string peer)
    {
        await using var server = await PeerServer.StartAsync(peer);
        var chat = new ChatService.Client(server.Channel);
        await using var ada = await JoinAsync(chat, "ada");
        await using var bob = await JoinAsync(chat, "bob");
        await ada.SendAsync(new ChatMessage { UserId = "ada", RoomId = "room", Content = "hello" }, Stop);
        await using var heard = bob.Responses.GetAsyncEnumerator(Stop);

        Assert.True(await heard.MoveNextAsync());
        Assert.Equal("ada: hello", $"{heard.Current.UserId}: {heard.Current.Content}");
        await ada.CompleteAsync(Stop);
        Assert.Empty(await ada.Responses.ToListAsync(Stop));
    }

    [Theory]
    [MemberData(nameof(Peers))]
    public async Task Metadata_comes_back_in_headers_and_trailers(string peer)
    {
        await using var server = await PeerServer.StartAsync(peer);
        byte[] bytes = [0, 255, 10, 13, 44];
        var headers = new Metadata();
        headers.Add("echo", "plain text");
        headers.Add("echo-bin", bytes);
        await using var call = new StreamService.Client(server.Channel).CreateUsers(new CallOptions { Headers = headers }, Stop);
        await call.CompleteAsync(Stop);

        foreach (var returned in new[] { await call.GetResponseHeadersAsync(), call.Trailers })
        {
            Assert.Equal("plain text", returned.GetValue("echo"));
            Assert.Equal(bytes, returned.GetBytes("echo-bin")!.Value.ToArray());
        }
    }

    private static async Task<DuplexStreamingCall<ChatMessage, ChatMessage>> JoinAsync(ChatService.Client chat, string user)
    {
        var call = chat.Chat(cancellationToken: Stop);
        await call.SendAsync(new ChatMessage { UserId = user, RoomId = "room" }, Stop);
        await call.GetResponseHeadersAsync();
        return call;
    }
}
