using Grpc.Testing;
using Weir.Rpc;

namespace Weir.Interop.Client;

/// <summary>Cases with one request and one response.</summary>
internal static class UnaryCases
{
    private const int ConcurrentCalls = 1000; // the description's number

    public static async Task EmptyUnaryAsync(CallInvoker channel, CancellationToken stop) =>
        Expect.Equal(new Empty(), await new TestService.Client(channel).EmptyCall(new(), cancellationToken: stop), "response");

    public static async Task LargeUnaryAsync(CallInvoker channel, CancellationToken stop)
    {
        var response = await new TestService.Client(channel).UnaryCall(Payloads.Unary(), cancellationToken: stop);
        Payloads.Check(response.Payload, Payloads.LargeResponseBytes);
    }

    public static Task ConcurrentLargeUnaryAsync(CallInvoker channel, CancellationToken stop) =>
        Task.WhenAll(Enumerable.Range(0, ConcurrentCalls).Select(_ => LargeUnaryAsync(channel, stop)));

    public static Task UnimplementedMethodAsync(CallInvoker channel, CancellationToken stop) => Expect.CodeAsync(
        StatusCode.Unimplemented,
        () => new TestService.Client(channel).UnimplementedCall(new(), cancellationToken: stop).AsTask());

    public static Task UnimplementedServiceAsync(CallInvoker channel, CancellationToken stop) => Expect.CodeAsync(
        StatusCode.Unimplemented,
        () => new UnimplementedService.Client(channel).UnimplementedCall(new(), cancellationToken: stop).AsTask());
}
