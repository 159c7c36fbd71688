using System.Diagnostics;
using Weir.V1;

namespace Weir.Server.Tests.Users;

[Collection(MemoryCollection.Name)]
public sealed class GetUserListTests : IDisposable
{
    private readonly UsersFixture _users = new();

    public void Dispose() => _users.Dispose();

    [Theory]
    [InlineData(-1)]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(25)]
    [InlineData(26)]
    [InlineData(int.MaxValue)]
    public async Task Every_page_size_gives_all_users_in_the_order_of_their_ids(int pageSize)
    {
        _users.Fill(25);
        var listed = await _users.ListAsync(new() { PageSize = pageSize });
        Assert.Equal(Enumerable.Range(1, 25), listed.Select(user => user.Id));
        Assert.Equal(new User { Id = 13, Name = "User 13", Email = "user13@example.org" }, listed[12]);
    }

    [Fact]
    public async Task An_empty_table_gives_an_empty_stream() => Assert.Empty(await _users.ListAsync(new()));

    [Fact]
    public async Task After_id_goes_on_behind_the_last_user_seen()
    {
        _users.Fill(25);
        Assert.Equal(Enumerable.Range(18, 8), (await _users.ListAsync(new() { AfterId = 17, PageSize = 3 })).Select(user => user.Id));
        Assert.Empty(await _users.ListAsync(new() { AfterId = 25 }));
        Assert.Equal(25, (await _users.ListAsync(new() { AfterId = -4 })).Count);
    }

    [Theory]
    [InlineData(4, 10)]
    [InlineData(10, 10)]
    [InlineData(11, 10)]
    [InlineData(20, 10)]
    [InlineData(4, 1)]
    public async Task Limit_ends_the_stream(int limit, int pageSize)
    {
        _users.Fill(25);
        Assert.Equal(Enumerable.Range(1, limit), (await _users.ListAsync(new() { Limit = limit, PageSize = pageSize })).Select(user => user.Id));
    }

    [Fact]
    public async Task Limit_of_zero_or_less_means_all()
    {
        _users.Fill(25);
        Assert.Equal(25, (await _users.ListAsync(new() { Limit = -1 })).Count);
    }

    [Theory]
    [InlineData("user1", new[] { 1, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 100 })]
    [InlineData("USER10", new[] { 10, 100 })]
    [InlineData("user100@example.org", new[] { 100 })]
    [InlineData("nobody", new int[0])]
    [InlineData("user%", new int[0])]
    [InlineData("ser1", new int[0])]
    public async Task Email_prefix_ignores_case_and_knows_no_wildcards(string prefix, int[] expected)
    {
        _users.Fill(100);
        Assert.Equal(expected, (await _users.ListAsync(new() { EmailPrefix = prefix, PageSize = 5 })).Select(user => user.Id));
    }

    [Theory]
    [InlineData("user", 0, 0, 50_000)] // more than the index is used for
    [InlineData("user4", 0, 0, 11_111)]
    [InlineData("user4", 45_000, 0, 4_999)]
    [InlineData("user499", 0, 0, 111)] // fewer
    [InlineData("user499", 49_950, 0, 49)]
    [InlineData("user4", 0, 17, 17)]
    [InlineData("user", 60_000, 0, 0)]
    public async Task Email_prefix_gives_the_same_in_a_large_table(string prefix, int afterId, int limit, int expected)
    {
        _users.Fill(50_000);
        var listed = await _users.ListAsync(new() { EmailPrefix = prefix, AfterId = afterId, Limit = limit, PageSize = 100 });
        Assert.Equal(
            Enumerable.Range(1, 50_000).Where(id => id > afterId && $"user{id}@example.org".StartsWith(prefix, StringComparison.Ordinal)).Take(expected),
            listed.Select(user => user.Id));
        Assert.Equal(expected, listed.Count);
    }

    [Fact]
    public async Task A_writer_can_commit_while_a_list_is_half_read()
    {
        _users.Fill(25);
        using var call = new TestCall();
        await using var listing = _users.Handler.GetUserList(new(), call).GetAsyncEnumerator(TestContext.Current.CancellationToken);
        Assert.True(await listing.MoveNextAsync());
        Assert.Equal(1, (await _users.CreateAsync(UsersFixture.NewUser(26))).Created);
        var seen = 1;
        while (await listing.MoveNextAsync())
            seen++;
        Assert.Equal(26, seen);
    }

    [Fact]
    public async Task A_client_that_leaves_ends_the_call_at_the_next_user()
    {
        _users.Fill(50_000);
        using var call = new TestCall();
        await using var listing = _users.Handler.GetUserList(new() { PageSize = 10_000 }, call).GetAsyncEnumerator(TestContext.Current.CancellationToken);
        Assert.True(await listing.MoveNextAsync());
        call.Cancel();
        await Assert.ThrowsAsync<OperationCanceledException>(async () => await listing.MoveNextAsync());
    }

    [Fact]
    public async Task A_hundred_thousand_users_by_tens_are_listed_in_flat_memory()
    {
        _users.Fill(100_000);
        using var call = new TestCall();
        var count = 0;
        long before = 0, most = 0;
        var started = Stopwatch.GetTimestamp();
        await foreach (var user in _users.Handler.GetUserList(new(), call).WithCancellation(TestContext.Current.CancellationToken))
        {
            Assert.Equal(++count, user.Id);
            if (count % 20_000 != 0)
                continue;
            most = GC.GetTotalMemory(forceFullCollection: true);
            before = before == 0 ? most : before;
            Assert.InRange(most - before, long.MinValue, 1_000_000);
        }

        Assert.Equal(100_000, count);
        TestContext.Current.TestOutputHelper!.WriteLine($"{Stopwatch.GetElapsedTime(started).TotalMilliseconds:F0} ms");
    }
}
