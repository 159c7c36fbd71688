using Grpc.Testing;
using Weir.Rpc;

namespace Weir.Interop.Client;

/// <summary>Cases against a server that misbehaves in HTTP/2, one kind of misbehaviour a server.</summary>
/// <remarks>https://github.com/grpc/grpc/blob/master/doc/negative-http2-interop-test-descriptions.md</remarks>
internal static class NegativeCases
{
    private const int ParallelCalls = 10;

    /// <summary>The server says GOAWAY after the first call: the second needs a new connection.</summary>
    public static async Task GoAwayAsync(CallInvoker channel, CancellationToken stop)
    {
        await UnaryCases.LargeUnaryAsync(channel, stop);
        await Task.Delay(TimeSpan.FromSeconds(1), stop); // the description's own pause, for GOAWAY to arrive
        await UnaryCases.LargeUnaryAsync(channel, stop);
    }

    /// <summary>The server resets the stream before the response is whole.</summary>
    public static Task ResetAsync(CallInvoker channel, CancellationToken stop) =>
        Expect.FailureAsync(() => new TestService.Client(channel).UnaryCall(Payloads.Unary(), cancellationToken: stop).AsTask());

    /// <summary>The server allows one stream at a time: calls at the same time wait their turn.</summary>
    public static async Task MaxStreamsAsync(CallInvoker channel, CancellationToken stop)
    {
        await UnaryCases.LargeUnaryAsync(channel, stop);
        await Task.WhenAll(Enumerable.Range(0, ParallelCalls).Select(_ => UnaryCases.LargeUnaryAsync(channel, stop)));
    }
}
