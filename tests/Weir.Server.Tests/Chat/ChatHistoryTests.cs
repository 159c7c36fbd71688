using Weir.Rpc;
using Weir.Server.Chat;
using static Weir.Server.Tests.Chat.ChatFixture;

namespace Weir.Server.Tests.Chat;

public sealed class ChatHistoryTests : IAsyncLifetime
{
    readonly ChatFixture _chat = new ChatFixture().Start();

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public ValueTask DisposeAsync() => _chat.DisposeAsync();

    [Fact]
    public async Task History_is_kept_over_a_restart_and_sequences_go_on()
    {
        await SayAsync("r", 1, 600);
        await _chat.RestartAsync();
        Assert.Equal(Enumerable.Range(1, 600), (await _chat.HistoryAsync("r")).Select(message => (int)message.Sequence));
        await SayAsync("r", 601, 2);
        var tail = await _chat.HistoryAsync("r", limit: 3);
        Assert.Equal([(600, "600"), (601, "601"), (602, "602")], tail.Select(message => (message.Sequence, message.Content)));
        Assert.Equal([602], (await _chat.HistoryAsync("r", after: 601, limit: 3)).Select(message => message.Sequence));
        Assert.Empty(await _chat.HistoryAsync("nobody was ever here"));
        await Assert.ThrowsAsync<RpcException>(() => _chat.HistoryAsync(""));
        await Assert.ThrowsAsync<RpcException>(() => _chat.HistoryAsync("r", after: -1));
        await Assert.ThrowsAsync<RpcException>(() => _chat.HistoryAsync("r", limit: -1));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(4)]
    [InlineData(10)]
    public async Task Resuming_replays_what_came_after_and_goes_on_live(int after)
    {
        await SayAsync("r", 1, 10);
        await using var ann = await _chat.JoinAsync("r", "ann", dialect: ChatDialect.V1, resumeAfter: after);
        await using var bob = await _chat.JoinAsync("r", "bob");
        await bob.SendAsync(Message("11"));
        var seen = new List<string>();
        while (seen.Count == 0 || seen[^1] != "11")
        {
            var message = (await ann.ReceiveAsync())!;
            if (message.Kind == V1.ChatMessage.Types.Kind.Message) seen.Add(message.Content);
        }

        Assert.Equal(Enumerable.Range(after + 1, 11 - after).Select(i => $"{i}"), seen);
    }

    [Fact]
    public async Task Resuming_while_others_talk_has_no_gap_and_no_repeat()
    {
        const int Count = 3000;
        await _chat.RestartAsync(ring: 2 * Count); // nobody is to be disconnected here, however slow the machine
        await SayAsync("r", 1, 1000);
        var talking = SayAsync("r", 1001, Count - 1000);
        var readers = Enumerable.Range(0, 5).Select(async reader =>
        {
            await using var client = await _chat.JoinAsync("r", $"reader {reader}", resumeAfter: reader * 200);
            var next = reader * 200;
            while (next < Count) Assert.Equal(++next, (await client.ReceiveAsync())!.Sequence);
        }).ToArray();
        await talking;
        await Task.WhenAll(readers).WaitAsync(Bound, Stop);
    }

    [Fact]
    public async Task A_replay_that_the_ring_has_overtaken_goes_on_from_the_log()
    {
        await _chat.RestartAsync(ring: 16);
        await SayAsync("r", 1, 10);
        await using var ann = await _chat.JoinAsync("r", "ann", resumeAfter: 0);
        for (var first = 11; first <= 30; first += 5) await SayAsync("r", first, 5);
        for (var i = 1; i <= 30; i++) Assert.Equal(i, (await ann.ReceiveAsync())!.Sequence);
        await using var bob = await _chat.JoinAsync("r", "bob", "live");
        Assert.Equal("live", await ann.ContentAsync());
    }

    async Task SayAsync(string room, int first, int count)
    {
        var client = await _chat.JoinAsync(room, "sayer");
        for (var i = first; i < first + count; i++) await client.SendAsync(Message($"{i}"));
        client.Complete();
        Assert.Equal(Status.Ok, await client.StatusAsync());
    }
}
