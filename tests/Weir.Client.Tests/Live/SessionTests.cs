using Weir.Rpc;
using Weir.Server.Tests.Live;
using Weir.V1;

namespace Weir.Client.Tests.Live;

/// <summary>Prices, chat and import over connections that break.</summary>
public sealed class SessionTests : IAsyncLifetime
{
    private static readonly ReconnectOptions Quick = new() { FirstDelay = TimeSpan.FromMilliseconds(1), MaxDelay = TimeSpan.FromMilliseconds(5) };

    private RunningServer _server = null!;
    private CuttingProxy _proxy = null!;
    private RpcChannel _cut = null!; // its connections can be cut

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _server = await RunningServer.StartAsync();
        _proxy = new CuttingProxy(_server.Uri);
        _cut = RpcChannel.ForAddress(_proxy.Url);
    }

    public async ValueTask DisposeAsync()
    {
        await _cut.DisposeAsync();
        await _proxy.DisposeAsync();
        await _server.DisposeAsync();
    }

    [Fact]
    public async Task A_watch_goes_on_after_a_break_with_the_newest_price()
    {
        var publisher = new StockService.Client(_server.Channel);
        await PublishAsync(publisher, 1);
        await using var prices = new PriceWatch(_cut).WatchAsync(["WEIR"], Quick, Stop).GetAsyncEnumerator(Stop);
        Assert.Equal(1, await NextAsync());
        for (var price = 2; price < 6; price++)
        {
            _proxy.Cut();
            await PublishAsync(publisher, price);
            double seen;
            while ((seen = await NextAsync()) != price)
                Assert.InRange(seen, 1, price - 1);
        }

        async Task<double> NextAsync()
        {
            Assert.True(await prices.MoveNextAsync().AsTask().Soon());
            return prices.Current.Price;
        }
    }

    [Fact]
    public async Task A_refused_watch_is_not_tried_again()
    {
        await using var prices = new PriceWatch(_cut).WatchAsync([""], Quick, Stop).GetAsyncEnumerator(Stop);
        var error = await Assert.ThrowsAsync<RpcException>(() => prices.MoveNextAsync().AsTask().Soon());
        Assert.Equal(StatusCode.InvalidArgument, error.StatusCode);
    }

    [Fact]
    public async Task A_chat_that_breaks_again_and_again_misses_and_repeats_nothing()
    {
        const int Count = 200;
        await using var ann = await ChatSession.JoinAsync(_server.Channel, "room", "ann", new ChatOptions { Reconnect = Quick }, Stop);
        await using var bob = await ChatSession.JoinAsync(_cut, "room", "bob", new ChatOptions { Reconnect = Quick }, Stop);
        var heard = HearAsync(bob, Count);
        for (var i = 1; i <= Count; i++)
        {
            await ann.SendAsync($"{i}", Stop);
            if (i % 20 == 0)
                _proxy.Cut();
        }

        var messages = await heard.Soon();
        Assert.Equal(Enumerable.Range(1, Count).Select(i => $"{i}"), messages.Select(message => message.Content));
        Assert.Equal(Enumerable.Range(1, Count).Select(i => (long)i), messages.Select(message => message.Sequence));
        Assert.InRange(_proxy.Connections, 2, 100);
    }

    [Fact]
    public async Task A_chat_ends_when_it_is_completed()
    {
        await using var ann = await ChatSession.JoinAsync(_cut, "room", "ann", cancellationToken: Stop);
        await using var bob = await ChatSession.JoinAsync(_server.Channel, "room", "bob", cancellationToken: Stop);
        await bob.SendAsync("hi", Stop);
        await bob.CompleteAsync(Stop);
        Assert.Empty(await bob.ReadAllAsync(Stop).Where(message => message.Kind == ChatMessage.Types.Kind.Message).ToListAsync(Stop).AsTask().Soon());
        await Assert.ThrowsAsync<InvalidOperationException>(() => bob.SendAsync("more", Stop).AsTask());
        Assert.Equal("hi", Assert.Single(await HearAsync(ann, 1).Soon()).Content);
    }

    [Fact]
    public async Task An_import_that_breaks_throws_and_may_be_run_again()
    {
        const int Count = 5_000;
        var import = new UserImport(_cut);
        var broken = await Assert.ThrowsAsync<RpcException>(() => import.RunAsync(Users(cutAt: 3_000), cancellationToken: Stop)).Soon();
        Assert.Equal(StatusCode.Unavailable, broken.StatusCode);
        var done = await import.RunAsync(Users(cutAt: -1), cancellationToken: Stop).Soon();
        Assert.Equal(Count, done.Created + done.Skipped);
        var listed = await new UserService.Client(_server.Channel).GetUserList(new GetUserListRequest { PageSize = 1_000 }, cancellationToken: Stop).ToListAsync(Stop);
        Assert.Equal(Count, listed.Count);

        async IAsyncEnumerable<User> Users(int cutAt)
        {
            for (var i = 0; i < Count; i++)
            {
                if (i == cutAt)
                {
                    await Bounded.UntilAsync(() => _proxy.ClientBytes > 10_000, "users at the server");
                    _proxy.Cut();
                }

                yield return new User { Name = $"User {i}", Email = $"{i}@example.com" };
            }
        }
    }

    private static async Task<List<ChatMessage>> HearAsync(ChatSession session, int count) =>
        await session.ReadAllAsync(Stop).Where(message => message.Kind == ChatMessage.Types.Kind.Message).Take(count).ToListAsync(Stop);

    private static async Task PublishAsync(StockService.Client publisher, double price)
    {
        await using var call = publisher.PublishPrices(cancellationToken: Stop);
        await call.SendAsync(new StockPrice { Symbol = "WEIR", Price = price }, Stop);
        Assert.Equal(1, (await call.CompleteAsync(Stop)).Accepted);
    }
}
