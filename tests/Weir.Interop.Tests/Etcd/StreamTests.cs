using System.Security.Cryptography;
using Etcdserverpb;
using Google.Protobuf;
using Mvccpb;
using Weir.Rpc;

namespace Weir.Interop.Tests.Etcd;

/// <summary>Streams to and from etcd: a long watch, a snapshot of the whole store.</summary>
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

    internal static async Task CreateWatchAsync(
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
