using Etcdserverpb;
using Google.Protobuf;
using Mvccpb;

namespace Weir.Interop.Tests.Etcd;

/// <summary>A duplex stream to etcd that lives long. In a class of its own: it takes a minute, and classes run side by side.</summary>
public sealed class LeaseTests(EtcdServer server) : IClassFixture<EtcdServer>
{
    private static readonly TimeSpan Time = TimeSpan.FromMinutes(1);

    [Fact]
    public async Task Lease_lives_while_it_is_kept_alive_for_a_minute_and_ends_after()
    {
        const int TtlSeconds = 10; // a busy machine may stall for some seconds
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(Time + TimeSpan.FromMinutes(2));
        var keys = new KV.Client(server.Channel);
        var leases = new Lease.Client(server.Channel);
        var lease = await leases.LeaseGrant(new() { TTL = TtlSeconds }, cancellationToken: limit.Token);
        var key = ByteString.CopyFromUtf8($"leased/{lease.ID}");
        await keys.Put(new() { Key = key, Value = ByteString.CopyFromUtf8("here"), Lease = lease.ID }, cancellationToken: limit.Token);
        await using var watch = new Watch.Client(server.Channel).Watch(cancellationToken: limit.Token);
        await using var changes = watch.Responses.GetAsyncEnumerator(limit.Token);
        await StreamTests.CreateWatchAsync(watch, changes, new() { Key = key });

        var kept = 0;
        await using (var alive = leases.LeaseKeepAlive(cancellationToken: limit.Token))
        {
            await using var responses = alive.Responses.GetAsyncEnumerator(limit.Token);
            using var pause = new PeriodicTimer(TimeSpan.FromSeconds(0.5)); // etcd counts in real time
            for (var begin = TimeProvider.System.GetTimestamp(); TimeProvider.System.GetElapsedTime(begin) < Time; kept++)
            {
                await alive.SendAsync(new() { ID = lease.ID }, limit.Token);
                Assert.True(await responses.MoveNextAsync());
                Assert.Equal((lease.ID, lease.TTL), (responses.Current.ID, responses.Current.TTL));
                await pause.WaitForNextTickAsync(limit.Token);
            }

            await alive.CompleteAsync(limit.Token);
            Assert.False(await responses.MoveNextAsync());
        }

        Assert.True(kept > 20, $"kept alive {kept} times");
        Assert.Equal(1, (await keys.Range(new() { Key = key }, cancellationToken: limit.Token)).Count);
        Assert.True(await changes.MoveNextAsync());
        Assert.Equal(Event.Types.EventType.Delete, Assert.Single(changes.Current.Events).Type);
        Assert.Equal(-1, (await leases.LeaseTimeToLive(new() { ID = lease.ID }, cancellationToken: limit.Token)).TTL);
    }
}
