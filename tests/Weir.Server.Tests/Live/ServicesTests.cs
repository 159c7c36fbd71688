using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Weir.AspNetCore;
using Weir.Rpc;
using Weir.Server.Chat;
using Weir.Server.Stocks;
using Weir.V1;

namespace Weir.Server.Tests.Live;

/// <summary>The services over real connections, from clients of both contracts.</summary>
public sealed class ServicesTests : IAsyncLifetime
{
    private RunningServer _server = null!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _server = await RunningServer.StartAsync();

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task Users_are_imported_listed_and_resumed_in_both_contracts()
    {
        var classic = new Weir.Classic.StreamService.Client(_server.Channel);
        var users = new UserService.Client(_server.Channel);
        await using (var import = classic.CreateUsers(cancellationToken: Stop))
        {
            for (var i = 1; i <= 1_500; i++)
                await import.SendAsync(new Weir.Classic.User { Name = $"User {i}", Email = $"{(i % 2 == 0 ? "even" : "odd")}.{i}@example.com" }, Stop);
            Assert.Equal(1_500, (await import.CompleteAsync(Stop)).Created);
        }

        await using (var import = users.CreateUsers(cancellationToken: Stop))
        {
            await import.SendAsync(new User { Name = "Again", Email = "odd.1@example.com" }, Stop);
            await import.SendAsync(new User { Name = "", Email = "x@example.com" }, Stop);
            await import.SendAsync(new User { Name = "New", Email = "new@example.com" }, Stop);
            var answer = await import.CompleteAsync(Stop);
            Assert.Equal((1, 2), (answer.Created, answer.Skipped));
            Assert.Equal([(1L, "The e-mail is already taken."), (2L, "The name is empty.")], answer.Errors.Select(error => (error.Position, error.Reason)));
        }

        var all = await users.GetUserList(new GetUserListRequest { PageSize = 7 }, cancellationToken: Stop).ToListAsync(Stop);
        Assert.Equal(1_501, all.Count);
        Assert.Equal(all.Skip(1_000).Take(9), await users.GetUserList(new GetUserListRequest { AfterId = all[999].Id, Limit = 9 }, cancellationToken: Stop).ToListAsync(Stop));
        Assert.Equal(750, await users.GetUserList(new GetUserListRequest { EmailPrefix = "even." }, cancellationToken: Stop).CountAsync(Stop));
        Assert.Equal(1_501, await classic.GetUserList(new Weir.Classic.GetUserListRequest(), cancellationToken: Stop).CountAsync(Stop));
    }

    [Fact]
    public async Task A_published_price_reaches_watchers_of_both_contracts_and_leaving_stops_the_walk()
    {
        var board = _server.App.Services.GetRequiredService<StockBoard>();
        var walk = new Weir.Classic.StockService.Client(_server.Channel)
            .GetRealTimePrices(new Weir.Classic.StockRequest { Symbol = "WEIR" }, cancellationToken: Stop).GetAsyncEnumerator(Stop);
        Assert.True(await walk.MoveNextAsync().AsTask().Soon());
        Assert.Equal(1, board.WalkingCount);

        await using (var publish = new StockService.Client(_server.Channel).PublishPrices(cancellationToken: Stop))
        {
            await publish.SendAsync(new StockPrice { Symbol = "WEIR", Price = 12.5, Timestamp = 7 }, Stop);
            do
                Assert.True(await walk.MoveNextAsync().AsTask().Soon());
            while (walk.Current.Timestamp != 7);
            Assert.Equal(12.5, walk.Current.Price);
            Assert.Equal(1, (await publish.CompleteAsync(Stop)).Accepted);
        }

        await walk.DisposeAsync();
        var other = new StockService.Client(_server.Channel).GetStockPrices(new StockRequest { Symbols = { "A", "B" } }, cancellationToken: Stop).GetAsyncEnumerator(Stop);
        Assert.True(await other.MoveNextAsync().AsTask().Soon());
        Assert.Equal(2, board.WalkingCount);
        await other.DisposeAsync();
        await Bounded.UntilAsync(() => board.WalkingCount == 0, "end of the walks");
    }

    [Fact]
    public async Task A_message_goes_to_the_others_of_both_contracts_and_the_metadata_wins()
    {
        await using var old = new Weir.Classic.ChatService.Client(_server.Channel).Chat(cancellationToken: Stop);
        await old.SendAsync(new Weir.Classic.ChatMessage { UserId = "old", RoomId = "r" }, Stop);
        await old.GetResponseHeadersAsync().Soon();
        var options = new CallOptions { Headers = new Metadata { { "user-id", "ann" } } };
        await using var ann = new ChatService.Client(_server.Channel).Chat(options, Stop);
        await ann.SendAsync(new ChatMessage { UserId = "mallory", RoomId = "r", Content = "one" }, Stop);
        await ann.SendAsync(new ChatMessage { Content = "two" }, Stop);
        await ann.CompleteAsync(Stop);
        Assert.Empty(await ann.Responses.ToListAsync(Stop).AsTask().Soon());
        var heard = await old.Responses.Take(2).ToListAsync(Stop).AsTask().Soon();
        Assert.Equal([("ann", "one"), ("ann", "two")], heard.Select(message => (message.UserId, message.Content)));
        var history = await new ChatService.Client(_server.Channel).GetHistory(new GetHistoryRequest { RoomId = "r" }, cancellationToken: Stop).ToListAsync(Stop);
        Assert.Equal([1L, 2L], history.Select(message => message.Sequence));
    }

    [Fact]
    public async Task A_member_whose_connection_breaks_leaves_and_one_that_does_not_read_delays_nobody()
    {
        const int Count = 2_000;
        var rooms = _server.App.Services.GetRequiredService<ChatRooms>();
        await using var proxy = new CuttingProxy(_server.Uri);
        await using var cut = RpcChannel.ForAddress(proxy.Url);
        await using var slow = await JoinAsync(_server.Channel, "slow"); // never reads
        await using var gone = await JoinAsync(cut, "gone");
        await using var fast = await JoinAsync(_server.Channel, "fast");
        Assert.Equal(3, rooms.Find("r")!.Members);
        proxy.Cut();
        await Bounded.UntilAsync(() => rooms.Find("r")!.Members == 2, "end of the broken member");

        await using var sender = await JoinAsync(_server.Channel, "sender");
        var heard = fast.Responses.Where(message => message.Kind == ChatMessage.Types.Kind.Message).Take(Count).CountAsync(Stop).AsTask();
        for (var i = 0; i < Count; i++)
            await sender.SendAsync(new ChatMessage { Content = new string('x', 1_000) }, Stop);
        Assert.Equal(Count, await heard.Soon());
    }

    [Fact]
    public async Task A_server_that_stops_tells_watchers_and_members_first()
    {
        // What would wait for one of these would not end soon.
        await using var server = await RunningServer.StartAsync(builder => builder.Services
            .Configure<WeirOptions>(options => options.DrainTimeout = TimeSpan.FromMinutes(5))
            .Configure<HostOptions>(options => options.ShutdownTimeout = TimeSpan.FromMinutes(10)));
        await using var member = await JoinAsync(server.Channel, "ann");
        var prices = new StockService.Client(server.Channel).GetStockPrices(new StockRequest { Symbol = "A" }, cancellationToken: Stop).GetAsyncEnumerator(Stop);
        Assert.True(await prices.MoveNextAsync().AsTask().Soon());
        var stopping = server.App.StopAsync(Stop);
        Assert.Empty(await member.Responses.ToListAsync(Stop).AsTask().Soon());
        var error = await Assert.ThrowsAsync<RpcException>(async () => { while (await prices.MoveNextAsync().AsTask().Soon()) { } });
        Assert.Equal(new Status(StatusCode.Unavailable, "The server is stopping; connect again."), error.Status);
        await stopping.Soon();
    }

    [Fact]
    public async Task Grpc_and_http_1_1_share_a_port()
    {
        using var http = new HttpClient();
        Assert.Equal("ok", await http.GetStringAsync(new Uri(_server.Uri, "/healthz"), Stop));
        var answer = await Assert.ThrowsAsync<RpcException>(async () => await new FileService.Client(_server.Channel).GetUpload(new GetUploadRequest { UploadId = "x" }, cancellationToken: Stop));
        Assert.Equal(StatusCode.NotFound, answer.StatusCode);
    }

    [Fact]
    public async Task A_Unix_socket_serves()
    {
        var path = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
        await using var server = await RunningServer.StartAsync("--urls", $"http://unix:{path}");
        Assert.Empty(await new UserService.Client(server.Channel).GetUserList(new GetUserListRequest(), cancellationToken: Stop).ToListAsync(Stop));
    }

    private static async Task<DuplexStreamingCall<ChatMessage, ChatMessage>> JoinAsync(RpcChannel channel, string user)
    {
        var call = new ChatService.Client(channel).Chat(cancellationToken: Stop);
        await call.SendAsync(new ChatMessage { UserId = user, RoomId = "r" }, Stop);
        await call.GetResponseHeadersAsync().Soon();
        return call;
    }
}
