using Grpc.Testing;
using Weir.Rpc;

namespace Weir.Interop.Client;

/// <summary>Cases of calls that are cancelled or late, or that the server ends with an error.</summary>
internal static class EndingCases
{
    private const int RequestBytes = 27182;
    private const int ResponseBytes = 31415;

    public static Task CancelAfterBeginAsync(CallInvoker channel, CancellationToken stop) => Expect.CodeAsync(StatusCode.Cancelled, async () =>
    {
        using var cancel = CancellationTokenSource.CreateLinkedTokenSource(stop);
        await using var call = new TestService.Client(channel).StreamingInputCall(cancellationToken: cancel.Token);
        await cancel.CancelAsync();
        await call.CompleteAsync(stop);
    });

    public static Task CancelAfterFirstResponseAsync(CallInvoker channel, CancellationToken stop) => Expect.CodeAsync(StatusCode.Cancelled, async () =>
    {
        using var cancel = CancellationTokenSource.CreateLinkedTokenSource(stop);
        await using var call = new TestService.Client(channel).FullDuplexCall(cancellationToken: cancel.Token);
        await using var responses = call.Responses.GetAsyncEnumerator(stop);
        await call.SendAsync(Payloads.Streaming(RequestBytes, ResponseBytes), stop);
        Expect.Equal(true, await responses.MoveNextAsync(), "a response to the request");
        Payloads.Check(responses.Current.Payload, ResponseBytes);
        await cancel.CancelAsync();
        await responses.MoveNextAsync();
    });

    public static Task TimeoutOnSleepingServerAsync(CallInvoker channel, CancellationToken stop) => Expect.CodeAsync(StatusCode.DeadlineExceeded, async () =>
    {
        var options = new CallOptions { Timeout = TimeSpan.FromMilliseconds(1) };
        await using var call = new TestService.Client(channel).FullDuplexCall(options, stop);
        await call.SendAsync(Payloads.Streaming(RequestBytes), stop);
        await foreach (var response in call.Responses.WithCancellation(stop))
            Payloads.Check(response.Payload, ResponseBytes);
    });

    public static async Task StatusCodeAndMessageAsync(CallInvoker channel, CancellationToken stop)
    {
        var expected = new Weir.Rpc.Status(StatusCode.Unknown, "test status message");
        await UnaryEndsAsync(channel, expected, stop);
        var actual = await Expect.FailureAsync(async () =>
        {
            await using var call = new TestService.Client(channel).FullDuplexCall(cancellationToken: stop);
            await call.SendAsync(new() { ResponseStatus = EchoOf(expected) }, stop);
            await call.CompleteAsync(stop);
            await call.Responses.CountAsync(stop);
        });
        Expect.Equal(expected, actual, "status of the stream");
    }

    public static Task SpecialStatusMessageAsync(CallInvoker channel, CancellationToken stop) =>
        UnaryEndsAsync(channel, new(StatusCode.Unknown, "\t\ntest with whitespace\r\nand Unicode BMP ☺ and non-BMP 😈\t\n"), stop);

    private static async Task UnaryEndsAsync(CallInvoker channel, Weir.Rpc.Status expected, CancellationToken stop)
    {
        var request = new SimpleRequest { ResponseStatus = EchoOf(expected) };
        Expect.Equal(expected, await Expect.FailureAsync(() => new TestService.Client(channel).UnaryCall(request, cancellationToken: stop).AsTask()), "status");
    }

    private static EchoStatus EchoOf(Weir.Rpc.Status status) => new() { Code = (int)status.Code, Message = status.Detail };
}
