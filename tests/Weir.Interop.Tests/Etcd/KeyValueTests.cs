using Etcdserverpb;
using Google.Protobuf;
using Weir.Rpc;

namespace Weir.Interop.Tests.Etcd;

/// <summary>Unary calls to etcd, with a client that our plugin made from etcd's own .proto files.</summary>
public sealed class KeyValueTests(EtcdServer server) : IClassFixture<EtcdServer>
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private KV.Client Keys => new(server.Channel);

    [Fact]
    public async Task Range_finds_what_was_put()
    {
        var first = await Keys.Put(new() { Key = Bytes("range/a"), Value = Bytes("1") }, cancellationToken: Stop);
        var second = await Keys.Put(new() { Key = Bytes("range/b"), Value = Bytes("2") }, cancellationToken: Stop);
        var range = await Keys.Range(new() { Key = Bytes("range/"), RangeEnd = Bytes("range0") }, cancellationToken: Stop);

        Assert.Equal(first.Header.Revision + 1, second.Header.Revision);
        Assert.Equal(2, range.Count);
        Assert.Equal([("range/a", "1"), ("range/b", "2")], range.Kvs.Select(pair => (pair.Key.ToStringUtf8(), pair.Value.ToStringUtf8())));
        Assert.Equal(second.Header.Revision, range.Kvs[1].ModRevision);
    }

    [Theory]
    [InlineData("free", true, "mine")]
    [InlineData("taken", false, "theirs")]
    public async Task Transaction_does_what_its_comparison_says(string name, bool succeeds, string owner)
    {
        var key = Bytes("lock/" + name);
        await Keys.Put(new() { Key = Bytes("lock/taken"), Value = Bytes("theirs") }, cancellationToken: Stop);
        var transaction = await Keys.Txn(
            new()
            {
                Compare = { new Compare { Key = key, Target = Compare.Types.CompareTarget.Create, Result = Compare.Types.CompareResult.Equal, CreateRevision = 0 } },
                Success = { new RequestOp { RequestPut = new() { Key = key, Value = Bytes("mine") } } },
                Failure = { new RequestOp { RequestRange = new() { Key = key } } },
            },
            cancellationToken: Stop);

        Assert.Equal(succeeds, transaction.Succeeded);
        Assert.Equal(succeeds ? ResponseOp.ResponseOneofCase.ResponsePut : ResponseOp.ResponseOneofCase.ResponseRange, Assert.Single(transaction.Responses).ResponseCase);
        Assert.Equal(owner, Assert.Single((await Keys.Range(new() { Key = key }, cancellationToken: Stop)).Kvs).Value.ToStringUtf8());
    }

    [Fact]
    public async Task Revision_that_was_compacted_is_OutOfRange_with_etcds_message()
    {
        var key = Bytes("compacted");
        var first = await Keys.Put(new() { Key = key, Value = Bytes("1") }, cancellationToken: Stop);
        var last = await Keys.Put(new() { Key = key, Value = Bytes("2") }, cancellationToken: Stop);
        await Keys.Compact(new() { Revision = last.Header.Revision, Physical = true }, cancellationToken: Stop);

        Assert.Equal(
            new Status(StatusCode.OutOfRange, "etcdserver: mvcc: required revision has been compacted"),
            await StatusOfAsync(Keys.Range(new() { Key = key, Revision = first.Header.Revision }, cancellationToken: Stop)));
        Assert.Equal(
            new Status(StatusCode.OutOfRange, "etcdserver: mvcc: required revision is a future revision"),
            await StatusOfAsync(Keys.Range(new() { Key = key, Revision = last.Header.Revision + 1_000_000 }, cancellationToken: Stop)));
        Assert.Equal("2", Assert.Single((await Keys.Range(new() { Key = key, Revision = last.Header.Revision }, cancellationToken: Stop)).Kvs).Value.ToStringUtf8());
    }

    [Fact]
    public async Task Refused_requests_end_with_etcds_status()
    {
        Assert.Equal(
            new Status(StatusCode.InvalidArgument, "etcdserver: key is not provided"),
            await StatusOfAsync(Keys.Put(new() { Value = Bytes("x") }, cancellationToken: Stop)));
        Assert.Equal(
            new Status(StatusCode.InvalidArgument, "etcdserver: request is too large"),
            await StatusOfAsync(Keys.Put(new() { Key = Bytes("large"), Value = ByteString.CopyFrom(new byte[1_600_000]) }, cancellationToken: Stop)));
        Assert.Equal(
            new Status(StatusCode.NotFound, "etcdserver: requested lease not found"),
            await StatusOfAsync(new Lease.Client(server.Channel).LeaseRevoke(new() { ID = 404 }, cancellationToken: Stop)));
    }

    private static ByteString Bytes(string text) => ByteString.CopyFromUtf8(text);

    private static async Task<Status> StatusOfAsync<TResponse>(UnaryCall<TResponse> call) =>
        (await Assert.ThrowsAsync<RpcException>(call.AsTask)).Status;
}
