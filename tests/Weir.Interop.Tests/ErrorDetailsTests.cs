using Google.Protobuf.WellKnownTypes;
using Google.Rpc;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Logging;
using Weir.AspNetCore;
using Weir.Classic;
using Weir.Rpc;
using Weir.Rpc.Errors;

namespace Weir.Interop.Tests;

/// <summary>Errors with details (google.rpc.Status), between Weir and grpc-go. Their message ends with a blank, which grpc-go sends as it is.</summary>
public sealed class ErrorDetailsTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(2);
    private static readonly BadRequest Bad = new() { FieldViolations = { new BadRequest.Types.FieldViolation { Field = "symbol", Description = "größer als 取引" } } };
    private static readonly RetryInfo Retry = new() { RetryDelay = Duration.FromTimeSpan(TimeSpan.FromSeconds(1.5)) };

    // Its first field was called "type" when these classes were generated; on the wire it is the same.
    private static readonly ErrorInfo Info = new() { Type = "NO_SYMBOL", Domain = "weir.test", Metadata = { ["symbol"] = "DETAILS" } };

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Details_of_a_Go_server_are_typed()
    {
        await using var server = await PeerServer.StartAsync("go");
        await using var call = new StockService.Client(server.Channel).GetRealTimePrices(new() { Symbol = "DETAILS" }, cancellationToken: Stop);
        var error = await Assert.ThrowsAsync<RpcException>(() => call.ToListAsync(Stop).AsTask());
        Assert.Equal(new Weir.Rpc.Status(StatusCode.InvalidArgument, "no such symbol: "), error.Status);
        Assert.Equal((Bad, Retry, Info), (error.GetDetail<BadRequest>(), error.GetDetail<RetryInfo>(), error.GetDetail<ErrorInfo>()));
        var status = error.GetRpcStatus()!;
        Assert.Equal(((int)StatusCode.InvalidArgument, "no such symbol: ", 3), (status.Code, status.Message, status.Details.Count));
        Assert.Null(error.GetDetail<QuotaFailure>());
    }

    [Fact]
    public async Task Details_of_a_Weir_server_are_typed_for_a_Go_client()
    {
        await Peer.Go.BuildAsync();
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.AddWeir();
        await using var app = builder.Build();
        app.MapRpc<Stocks>();
        await app.StartAsync(Stop);
        var finished = await Program.RunAsync([.. Peer.Go.Client, new Uri(app.Urls.Single()).Authority, "details"], Limit);
        Assert.Equal(new Finished(0, "refused with details\n", ""), finished);
    }

    private sealed class Stocks : StockService.Server
    {
        public override IAsyncEnumerable<StockPrice> GetRealTimePrices(StockRequest request, ServerCall call) =>
            throw RpcErrors.Create(StatusCode.InvalidArgument, "no such symbol: ", Bad, Retry, Info);
    }
}
