using Google.Protobuf;
using Microsoft.Extensions.Time.Testing;
using Weir.Classic;
using Weir.Rpc;

namespace Weir.Interop.Tests;

/// <summary>Weir's client against servers of other gRPC libraries: how calls end that do not go well.</summary>
public sealed class PeerServerEndingTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(2);

    public static TheoryData<string> Peers => PeerServerTests.Peers;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [MemberData(nameof(Peers))]
    public async Task Status_message_with_any_character_arrives(string peer)
    {
        await using var server = await PeerServer.StartAsync(peer);
        var error = await Assert.ThrowsAsync<RpcException>(() => Prices(server, "").ToListAsync(Stop).AsTask());

        Assert.Equal(new Status(StatusCode.InvalidArgument, "Symbol fehlt: „“ 取引 100 %"), error.Status);
    }

    [Theory]
    [MemberData(nameof(Peers))]
    public async Task Refused_upload_ends_with_the_servers_status(string peer)
    {
        await using var server = await PeerServer.StartAsync(peer);
        await using var call = new StreamService.Client(server.Channel).UploadFile(cancellationToken: Stop);
        var error = await Assert.ThrowsAsync<RpcException>(async () =>
        {
            foreach (var number in (int[])[0, 1, 7])
                await call.SendAsync(new FileChunk { FileName = "gap", Data = ByteString.CopyFromUtf8("x"), ChunkNumber = number }, Stop);
            await call.CompleteAsync(Stop);
        });

        Assert.Equal(new Status(StatusCode.InvalidArgument, "chunk 2 expected, got 7"), error.Status);
    }

    [Theory]
    [MemberData(nameof(Peers))]
    public async Task Unknown_method_is_Unimplemented(string peer)
    {
        await using var server = await PeerServer.StartAsync(peer);
        var known = StockService.Methods.GetRealTimePrices;
        var unknown = new Method<StockRequest, StockPrice>(MethodKind.ServerStreaming, "no.such.Service", "Method", known.Requests, known.Responses);
        await using var call = server.Channel.ServerStreaming(unknown, new StockRequest(), default, Stop);
        var error = await Assert.ThrowsAsync<RpcException>(() => call.ToListAsync(Stop).AsTask());

        Assert.Equal(StatusCode.Unimplemented, error.StatusCode);
    }

    [Theory]
    [InlineData("go", "FOREVER")]
    [InlineData("go", "SILENT")]
    [InlineData("python", "FOREVER")]
    [InlineData("python", "SILENT")]
    public async Task Deadline_ends_the_call_on_both_sides(string peer, string symbol)
    {
        var time = new FakeTimeProvider();
        await using var server = await PeerServer.StartAsync(peer, time);
        var options = new CallOptions { Timeout = TimeSpan.FromHours(1) };
        await using var call = new StockService.Client(server.Channel).GetRealTimePrices(new() { Symbol = symbol }, options, Stop);
        await call.GetResponseHeadersAsync(); // the server has begun
        time.Advance(TimeSpan.FromHours(1));
        var error = await Assert.ThrowsAsync<RpcException>(() => call.ToListAsync(Stop).AsTask());

        Assert.Equal(StatusCode.DeadlineExceeded, error.StatusCode);
        await ServerHasSeenOneLeaveAsync(server);
    }

    [Theory]
    [InlineData("go", "FOREVER")]
    [InlineData("go", "SILENT")]
    [InlineData("python", "FOREVER")]
    [InlineData("python", "SILENT")]
    public async Task Server_whose_clock_is_ahead_ends_the_call_at_the_deadline_that_it_was_told(string peer, string symbol)
    {
        await using var server = await PeerServer.StartAsync(peer, new FakeTimeProvider()); // the client's stands still
        var options = new CallOptions { Timeout = TimeSpan.FromMilliseconds(300) };
        await using var call = new StockService.Client(server.Channel).GetRealTimePrices(new() { Symbol = symbol }, options, Stop);
        var error = await Assert.ThrowsAsync<RpcException>(() => call.ToListAsync(Stop).AsTask());

        Assert.Equal(StatusCode.DeadlineExceeded, error.StatusCode);
    }

    [Theory]
    [MemberData(nameof(Peers))]
    public async Task Leaving_the_loop_cancels_the_call_on_the_server(string peer)
    {
        await using var server = await PeerServer.StartAsync(peer);
        var received = 0;
        await foreach (var _ in Prices(server, "FOREVER"))
        {
            if (++received == 3)
                break;
        }

        await ServerHasSeenOneLeaveAsync(server);
    }

    [Theory]
    [MemberData(nameof(Peers))]
    public async Task Cancelling_the_token_ends_the_call_with_Cancelled_and_the_connection_goes_on(string peer)
    {
        await using var server = await PeerServer.StartAsync(peer);
        using var cancel = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        var error = await Record.ExceptionAsync(async () =>
        {
            await using var call = new StockService.Client(server.Channel).GetRealTimePrices(new() { Symbol = "FOREVER" }, cancellationToken: cancel.Token);
            await foreach (var _ in call)
                await cancel.CancelAsync();
        });

        Assert.True(
            error is OperationCanceledException or RpcException { StatusCode: StatusCode.Cancelled },
            $"cancelled calls end with OperationCanceledException or Cancelled, this one with {error}");
        Assert.Equal(5, await Prices(server, "AAPL").CountAsync(Stop));
        await ServerHasSeenOneLeaveAsync(server);
    }

    [Theory]
    [MemberData(nameof(Peers))]
    public async Task Message_over_the_limit_is_ResourceExhausted_and_names_both_sizes(string peer)
    {
        await using var server = await PeerServer.StartAsync(peer);
        await using var call = new StreamService.Client(server.Channel).UploadFile(cancellationToken: Stop);
        var error = await Assert.ThrowsAsync<RpcException>(async () =>
        {
            await call.SendAsync(new FileChunk { FileName = "big", Data = ByteString.CopyFrom(new byte[5 * 1024 * 1024]) }, Stop);
            await call.CompleteAsync(Stop);
        });

        Assert.Equal(StatusCode.ResourceExhausted, error.StatusCode);
        Assert.Contains("4194304", error.Status.Detail);
    }

    [Fact]
    public async Task Nobody_listening_is_Unavailable()
    {
        await using var channel = RpcChannel.ForAddress("http://127.0.0.1:1");
        var error = await Assert.ThrowsAsync<RpcException>(() =>
            new StreamService.Client(channel).GetUserList(new(), cancellationToken: Stop).ToListAsync(Stop).AsTask());

        Assert.Equal(StatusCode.Unavailable, error.StatusCode);
    }

    private static ServerStreamingCall<StockPrice> Prices(PeerServer server, string symbol) =>
        new StockService.Client(server.Channel).GetRealTimePrices(new() { Symbol = symbol }, cancellationToken: Stop);

    /// <summary>Asks the server, over and over for a while, until it has noticed that a client left.</summary>
    private static async Task ServerHasSeenOneLeaveAsync(PeerServer server)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        limit.CancelAfter(Limit);
        while ((await Prices(server, "CANCELLED").SingleAsync(limit.Token)).Price < 1)
            limit.Token.ThrowIfCancellationRequested();
    }
}
