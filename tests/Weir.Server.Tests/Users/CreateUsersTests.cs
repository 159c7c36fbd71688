using System.Diagnostics;
using System.Threading.Channels;
using Microsoft.Extensions.Time.Testing;
using Weir.Rpc;
using Weir.Server.Hosting;
using Weir.Server.Storage;
using Weir.Server.Users;
using Weir.V1;

namespace Weir.Server.Tests.Users;

[Collection(MemoryCollection.Name)]
public sealed class CreateUsersTests : IDisposable
{
    private readonly UsersFixture _users = new();

    public void Dispose() => _users.Dispose();

    [Fact]
    public async Task Created_users_are_in_the_list_with_ids_of_the_server()
    {
        var response = await _users.CreateAsync(
            new User { Id = 77, Name = "Ada Lovelace", Email = "Ada@Example.org" },
            new User { Name = "Grace Hopper", Email = "grace@example.org" });
        Assert.Equal(new CreateUsersResponse { Created = 2 }, response);
        Assert.Equal(
            [new User { Id = 1, Name = "Ada Lovelace", Email = "Ada@Example.org" }, new User { Id = 2, Name = "Grace Hopper", Email = "grace@example.org" }],
            await _users.ListAsync(new()));
    }

    [Fact]
    public async Task A_full_disk_is_ResourceExhausted_and_says_so()
    {
        using var folder = new TempFolder();
        using var database = new Database(new DataFolder(folder.Path));
        using (var pooled = database.Open())
            pooled.Execute("PRAGMA max_page_count = 16;"); // holds for this connection, which the store takes from the pool
        using var store = new UserStore(database);
        var handler = new UsersHandler(store, TimeProvider.System);
        using var call = new TestCall(cancellationToken: TestContext.Current.CancellationToken);
        var error = await Assert.ThrowsAsync<RpcException>(
            async () => await handler.CreateUsers(Enumerable.Range(1, 5_000).Select(UsersFixture.NewUser).ToAsyncEnumerable(), call));
        Assert.Equal((StatusCode.ResourceExhausted, "the server's disk is full"), (error.StatusCode, error.Status.Detail));

        // What is not written needs no room: the next call works.
        using var next = new TestCall(cancellationToken: TestContext.Current.CancellationToken);
        Assert.Equal(new CreateUsersResponse(), await handler.CreateUsers(AsyncEnumerable.Empty<User>(), next));
    }

    [Fact]
    public async Task An_empty_stream_creates_nobody() => Assert.Equal(new CreateUsersResponse(), await _users.CreateAsync());

    [Theory]
    [InlineData("", "a@b.c", "The name is empty.")]
    [InlineData("  ", "a@b.c", "The name is empty.")]
    [InlineData("A\nB", "a@b.c", "The name has a control character.")]
    [InlineData("A", "", "The e-mail is empty.")]
    [InlineData("A", "ab.c", "The e-mail has 0 @ signs instead of one.")]
    [InlineData("A", "a@b@c", "The e-mail has 2 @ signs instead of one.")]
    [InlineData("A", "@b.c", "The e-mail has nothing before the @.")]
    [InlineData("A", "a@", "The e-mail has no domain after the @.")]
    [InlineData("A", "a b@c.d", "The e-mail has a space or control character.")]
    [InlineData("A", "a@b\u0007.d", "The e-mail has a space or control character.")]
    [InlineData("A", "a@.d", "The e-mail's domain has an empty label.")]
    [InlineData("A", "a@b..d", "The e-mail's domain has an empty label.")]
    [InlineData("A", "a@b.", "The e-mail's domain has an empty label.")]
    public async Task A_bad_row_is_reported_and_the_rest_goes_on(string name, string email, string reason)
    {
        var response = await _users.CreateAsync(UsersFixture.NewUser(1), new User { Name = name, Email = email }, UsersFixture.NewUser(2));
        Assert.Equal(new CreateUsersResponse { Created = 2, Skipped = 1, Errors = { new RowError { Position = 2, Reason = reason, Email = email } } }, response);
        Assert.Equal(2, (await _users.ListAsync(new())).Count);
    }

    [Theory]
    [InlineData(200, 1, 20, null)]
    [InlineData(201, 1, 20, "The name has 201 characters; at most 200 are allowed.")]
    [InlineData(1, 64, 254, null)]
    [InlineData(1, 65, 254, "The e-mail has 65 characters before the @; at most 64 are allowed.")]
    [InlineData(1, 1, 255, "The e-mail has 255 characters; at most 254 are allowed.")]
    public async Task Lengths_are_limited(int name, int local, int email, string? reason)
    {
        var user = new User { Name = new string('n', name), Email = new string('l', local) + "@" + new string('d', email - local - 1) };
        var response = await _users.CreateAsync(user);
        Assert.Equal(reason, response.Errors.SingleOrDefault()?.Reason);
        Assert.Equal(reason is null ? 1 : 0, response.Created);
    }

    [Fact]
    public async Task Duplicates_within_the_stream_and_against_the_table_are_reported()
    {
        await _users.CreateAsync(UsersFixture.NewUser(1));
        var response = await _users.CreateAsync(
            UsersFixture.NewUser(2), new User { Name = "Again", Email = "USER2@example.org" }, new User { Name = "", Email = "x@y" }, UsersFixture.NewUser(1), UsersFixture.NewUser(3));
        Assert.Equal((2L, 3L), (response.Created, response.Skipped));
        Assert.Equal([(2L, "USER2@example.org"), (3L, "x@y"), (4L, "user1@example.org")], response.Errors.Select(error => (error.Position, error.Email)));
        Assert.Equal("The e-mail is already taken.", response.Errors[0].Reason);
    }

    [Fact]
    public async Task Only_the_first_hundred_errors_are_reported_but_all_are_counted()
    {
        var rows = Enumerable.Range(1, 2_500).Select(number => number % 2 == 0 ? UsersFixture.NewUser(number) : new User { Name = "x" }).ToArray();
        var response = await _users.CreateAsync(rows);
        Assert.Equal((1_250L, 1_250L), (response.Created, response.Skipped));
        Assert.Equal(Enumerable.Range(0, 100).Select(index => (2L * index) + 1), response.Errors.Select(error => error.Position));
    }

    [Fact]
    public async Task Two_importers_at_once_lose_nothing_and_share_no_row()
    {
        var same = Enumerable.Range(1, 5_000).Select(UsersFixture.NewUser).ToArray();
        var answers = await Task.WhenAll(Task.Run(() => _users.CreateAsync(same)), Task.Run(() => _users.CreateAsync(same)));
        Assert.Equal(5_000, answers.Sum(answer => answer.Created));
        Assert.Equal(5_000, answers.Sum(answer => answer.Skipped));
        Assert.Equal(5_000, (await _users.ListAsync(new() { PageSize = 1_000 })).Count);
    }

    [Fact(Timeout = 60_000)] // ms, for the rows to be written
    public async Task A_client_that_leaves_midway_leaves_whole_batches_only()
    {
        var time = new FakeTimeProvider(); // however long the rows take to come, they come at once
        using var users = new UsersFixture(time);
        using var call = new TestCall();
        var rows = Channel.CreateUnbounded<User>();
        var creating = users.Handler.CreateUsers(rows.Reader.ReadAllAsync(call.CancellationToken), call).AsTask();
        for (var number = 1; number <= 1_000; number++)
            rows.Writer.TryWrite(UsersFixture.NewUser(number));
        while ((await users.ListAsync(new() { PageSize = 1_000 })).Count == 0)
        {
            TestContext.Current.CancellationToken.ThrowIfCancellationRequested();
            time.Advance(TimeSpan.FromMilliseconds(10));
        }

        call.Cancel();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => creating);
        Assert.Equal(1_000, (await users.ListAsync(new() { PageSize = 1_000 })).Count);
    }

    [Fact(Timeout = 60_000)] // ms, for the rows to be written
    public async Task A_slow_streams_rows_are_written_before_it_ends()
    {
        var time = new FakeTimeProvider();
        using var users = new UsersFixture(time);
        using var call = new TestCall();
        var rows = Channel.CreateUnbounded<User>();
        var creating = users.Handler.CreateUsers(rows.Reader.ReadAllAsync(TestContext.Current.CancellationToken), call).AsTask();
        rows.Writer.TryWrite(UsersFixture.NewUser(1));
        while ((await users.ListAsync(new())).Count == 0)
        {
            TestContext.Current.CancellationToken.ThrowIfCancellationRequested();
            time.Advance(TimeSpan.FromMilliseconds(10));
        }

        Assert.False(creating.IsCompleted);
        rows.Writer.Complete();
        Assert.Equal(1, (await creating).Created);
    }

    [Fact(Timeout = 60_000)] // ms, for the rows to be written
    public async Task Full_batches_are_on_disk_once_the_stream_pauses()
    {
        var time = new FakeTimeProvider();
        using var users = new UsersFixture(time);
        using var call = new TestCall();
        var rows = Channel.CreateUnbounded<User>();
        for (var number = 1; number <= 2 * UserLimits.MaxBatchRows; number++)
            rows.Writer.TryWrite(UsersFixture.NewUser(number));
        var creating = users.Handler.CreateUsers(rows.Reader.ReadAllAsync(TestContext.Current.CancellationToken), call).AsTask();
        while ((await users.ListAsync(new() { PageSize = 1_000 })).Count < 2 * UserLimits.MaxBatchRows)
        {
            TestContext.Current.CancellationToken.ThrowIfCancellationRequested();
            time.Advance(TimeSpan.FromMilliseconds(10));
        }

        Assert.False(creating.IsCompleted);
        Assert.Equal(1, (await users.CreateAsync(UsersFixture.NewUser(99_999))).Created); // another importer's turn
        rows.Writer.Complete();
        Assert.Equal(2 * UserLimits.MaxBatchRows, (await creating).Created);
    }

    [Fact]
    public async Task A_stream_that_fails_leaves_the_full_batches_before()
    {
        using var call = new TestCall();
        await Assert.ThrowsAsync<InvalidDataException>(async () => await _users.Handler.CreateUsers(Failing(), call));
        Assert.Equal(UserLimits.MaxBatchRows, (await _users.ListAsync(new() { PageSize = 1_000 })).Count);

        static async IAsyncEnumerable<User> Failing()
        {
            for (var number = 1; number <= UserLimits.MaxBatchRows + 1; number++)
                yield return UsersFixture.NewUser(number);
            await Task.Yield();
            throw new InvalidDataException();
        }
    }

    [Theory]
    [InlineData(0, UserLimits.MaxTransactionRows)]
    [InlineData(1_000, 1)] // ms
    public async Task A_transaction_ends_when_it_is_full_or_old_although_more_follows(int age, int rows)
    {
        var time = new FakeTimeProvider();
        using var users = new UsersFixture(time);
        using var import = new UserImport(users.Store, time);
        var all = Enumerable.Range(1, rows + 2).Select(UsersFixture.NewUser).ToList();
        await import.AddAsync(all[..(rows - 1)], more: true, TestContext.Current.CancellationToken);
        await import.AddAsync(all[(rows - 1)..rows], more: true, TestContext.Current.CancellationToken);
        time.Advance(TimeSpan.FromMilliseconds(age));
        Assert.Equal(age == 0 ? rows : 0, (await users.ListAsync(new() { PageSize = 1_000 })).Count);
        await import.AddAsync(all[rows..(rows + 1)], more: true, TestContext.Current.CancellationToken);
        Assert.Equal(age == 0 ? rows : rows + 1, (await users.ListAsync(new() { PageSize = 1_000 })).Count);
    }

    [Fact]
    public async Task An_import_that_is_given_up_undoes_what_it_has_not_committed_and_lets_the_next_begin()
    {
        using (var import = new UserImport(_users.Store, TimeProvider.System))
            await import.AddAsync([UsersFixture.NewUser(1)], more: true, TestContext.Current.CancellationToken);
        Assert.Empty(await _users.ListAsync(new()));
        Assert.Equal(1, (await _users.CreateAsync(UsersFixture.NewUser(2))).Created);
    }

    [Fact]
    public async Task A_stream_that_fails_fails_the_call_with_the_same_error()
    {
        using var call = new TestCall();
        await Assert.ThrowsAsync<InvalidDataException>(async () => await _users.Handler.CreateUsers(Failing(), call));

        static async IAsyncEnumerable<User> Failing()
        {
            yield return UsersFixture.NewUser(1);
            await Task.Yield();
            throw new InvalidDataException();
        }
    }

    [Fact]
    public async Task What_was_acknowledged_is_there_without_the_write_ahead_log_being_closed()
    {
        await _users.CreateAsync(UsersFixture.NewUser(1), UsersFixture.NewUser(2));
        using var copy = new TempFolder();
        foreach (var file in Directory.GetFiles(_users.Folder, "weir.db*"))
            File.Copy(file, Path.Combine(copy.Path, Path.GetFileName(file))); // what kill -9 leaves behind
        using var reopened = new UsersFixture(folder: copy.Path);
        Assert.Equal(2, (await reopened.ListAsync(new())).Count);
    }

    [Fact]
    public async Task A_hundred_thousand_rows_are_imported_in_flat_memory()
    {
        using var call = new TestCall();
        var before = GC.GetTotalMemory(forceFullCollection: true);
        var started = Stopwatch.GetTimestamp();
        var response = await _users.Handler.CreateUsers(Enumerable.Range(1, 100_000).Select(UsersFixture.NewUser).ToAsyncEnumerable(), call);
        TestContext.Current.TestOutputHelper!.WriteLine($"{Stopwatch.GetElapsedTime(started).TotalMilliseconds:F0} ms");
        Assert.Equal(new CreateUsersResponse { Created = 100_000 }, response);
        Assert.InRange(GC.GetTotalMemory(forceFullCollection: true) - before, long.MinValue, 2_000_000);
    }
}
