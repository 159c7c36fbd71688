using System.Security.Cryptography;
using Etcdserverpb;
using Google.Protobuf;
using Mvccpb;
using Weir.Rpc;

namespace Weir.Interop.Tests.Etcd;

/// <summary>Streams to and from etcd: a long watch, a lease that is kept alive, a snapshot of the whole store.</summary>
public sealed class StreamTests(EtcdServer server) : IClassFixture<EtcdServer>
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(2);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private KV.Client Keys => new(server.Channel);

    [Fact]
    public async Task Watch_sees_ten_thousand_changes_once_each_and_in_order()
    {
        const int Changes = 10_000;
        using var limit = LimitOf(Limit);
        await using var watch = new Watch.Client(server.Channel).Watch(cancellationToken: limit.Token);
        await using var responses = watch.Responses.GetAsyncEnumerator(limit.Token);
        await CreateWatchAsync(watch, responses, new() { Key = Bytes("watched/"), RangeEnd = Bytes("watched0") });

        var puts = Parallel.ForAsync(
            0,
            Changes,
            new ParallelOptions { MaxDegreeOfParallelism = 100, CancellationToken = limit.Token },
            async (i, stop) => await Keys.Put(new() { Key = Bytes($"watched/{i}"), Value = Bytes($"value {i}") }, cancellationToken: stop));
        var events = new List<Event>();
        while (events.Count < Changes && await responses.MoveNextAsync())
            events.AddRange(responses.Current.Events);
        await puts;
        await watch.CompleteAsync(limit.Token);

        Assert.Equal(Changes, events.Count);
        Assert.All(events, change => Assert.Equal(Event.Types.EventType.Put, change.Type));
        Assert.Equal(
            Enumerable.Range(0, Changes).Select(i => (Key: $"watched/{i}", Value: $"value {i}")).ToHashSet(),
            events.Select(change => (Key: change.Kv.Key.ToStringUtf8(), Value: change.Kv.Value.ToStringUtf8())).ToHashSet());
        Assert.All(events.Zip(events.Skip(1)), pair => Assert.True(pair.First.Kv.ModRevision < pair.Second.Kv.ModRevision));
    }

    [Fact]
    public async Task Watch_from_a_compacted_revision_is_cancelled_and_names_the_first_that_is_left()
    {
        using var limit = LimitOf(Limit);
        var key = Bytes("compacted watch");
        await Keys.Put(new() { Key = key, Value = Bytes("1") }, cancellationToken: limit.Token);
        var last = await Keys.Put(new() { Key = key, Value = Bytes("2") }, cancellationToken: limit.Token);
        await Keys.Compact(new() { Revision = last.Header.Revision }, cancellationToken: limit.Token);
        await using var watch = new Watch.Client(server.Channel).Watch(cancellationToken: limit.Token);
        await using var responses = watch.Responses.GetAsyncEnumerator(limit.Token);
        await CreateWatchAsync(watch, responses, new() { Key = key, StartRevision = 1 });

        Assert.True(await responses.MoveNextAsync());
        Assert.True(responses.Current.Canceled);
        Assert.Equal(last.Header.Revision, responses.Current.CompactRevision);

        // The call goes on: the next watch of the same stream starts where the answer said.
        await CreateWatchAsync(watch, responses, new() { Key = key, StartRevision = last.Header.Revision });
        Assert.True(await responses.MoveNextAsync());
        Assert.Equal("2", Assert.Single(responses.Current.Events).Kv.Value.ToStringUtf8());
    }

    [Fact]
    public Task Lease_lives_while_it_is_kept_alive_and_ends_after() => KeepAliveAsync(TimeSpan.FromSeconds(5));

    // Run by hand, it takes a minute: dotnet run --project tests/Weir.Interop.Tests -c Release -- -explicit only -method "*for_a_minute"
    [Fact(Explicit = true)]
    public Task Lease_is_kept_alive_for_a_minute() => KeepAliveAsync(TimeSpan.FromMinutes(1));

    [Fact]
    public async Task Snapshot_comes_whole_and_matches_its_checksum()
    {
        using var limit = LimitOf(Limit);
        for (var i = 0; i < 10; i++)
        {
            var value = ByteString.CopyFrom(RandomNumberGenerator.GetBytes(1_000_000));
            await Keys.Put(new() { Key = Bytes($"snapshot/{i}"), Value = value }, cancellationToken: limit.Token);
        }

        using var snapshot = new MemoryStream();
        var blobs = 0;
        await foreach (var response in new Maintenance.Client(server.Channel).Snapshot(new(), cancellationToken: limit.Token))
        {
            blobs++;
            snapshot.Write(response.Blob.Span);
        }

        // The last 32 octets are the SHA-256 of all before them.
        var bytes = snapshot.ToArray();
        Assert.True(bytes.Length > 10_000_000, $"the store holds ten million octets, its snapshot only {bytes.Length}");
        Assert.True(blobs > 100, $"the snapshot came in {blobs} messages");
        Assert.Equal(SHA256.HashData(bytes.AsSpan(..^32)), bytes[^32..]);
    }

    private async Task KeepAliveAsync(TimeSpan time)
    {
        const int TtlSeconds = 2;
        using var limit = LimitOf(time + Limit);
        var leases = new Lease.Client(server.Channel);
        var lease = await leases.LeaseGrant(new() { TTL = TtlSeconds }, cancellationToken: limit.Token);
        var key = Bytes($"leased/{lease.ID}");
        await Keys.Put(new() { Key = key, Value = Bytes("here"), Lease = lease.ID }, cancellationToken: limit.Token);
        await using var watch = new Watch.Client(server.Channel).Watch(cancellationToken: limit.Token);
        await using var changes = watch.Responses.GetAsyncEnumerator(limit.Token);
        await CreateWatchAsync(watch, changes, new() { Key = key });

        var kept = 0;
        await using (var alive = leases.LeaseKeepAlive(cancellationToken: limit.Token))
        {
            await using var responses = alive.Responses.GetAsyncEnumerator(limit.Token);
            using var pause = new PeriodicTimer(TimeSpan.FromSeconds(0.5)); // etcd counts in real time
            for (var begin = TimeProvider.System.GetTimestamp(); TimeProvider.System.GetElapsedTime(begin) < time; kept++)
            {
                await alive.SendAsync(new() { ID = lease.ID }, limit.Token);
                Assert.True(await responses.MoveNextAsync());
                Assert.Equal((lease.ID, lease.TTL), (responses.Current.ID, responses.Current.TTL));
                await pause.WaitForNextTickAsync(limit.Token);
            }

            await alive.CompleteAsync(limit.Token);
            Assert.False(await responses.MoveNextAsync());
        }

        Assert.True(kept > 2, $"kept alive {kept} times");
        Assert.Equal(1, (await Keys.Range(new() { Key = key }, cancellationToken: limit.Token)).Count);
        Assert.True(await changes.MoveNextAsync());
        Assert.Equal(Event.Types.EventType.Delete, Assert.Single(changes.Current.Events).Type);
        Assert.Equal(-1, (await leases.LeaseTimeToLive(new() { ID = lease.ID }, cancellationToken: limit.Token)).TTL);
    }

    private static async Task CreateWatchAsync(
        DuplexStreamingCall<WatchRequest, WatchResponse> watch, IAsyncEnumerator<WatchResponse> responses, WatchCreateRequest request)
    {
        await watch.SendAsync(new() { CreateRequest = request }, Stop);
        Assert.True(await responses.MoveNextAsync());
        Assert.True(responses.Current.Created);
    }

    private static CancellationTokenSource LimitOf(TimeSpan time)
    {
        var limit = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        limit.CancelAfter(time);
        return limit;
    }

    private static ByteString Bytes(string text) => ByteString.CopyFromUtf8(text);
}
