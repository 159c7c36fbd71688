using Grpc.Testing;
using Weir.Rpc;

namespace Weir.Interop.Client;

/// <summary>Cases with streams that end as they should.</summary>
internal static class StreamCases
{
    private static readonly int[] RequestBytes = [27182, 8, 1828, 45904];
    private static readonly int[] ResponseBytes = [31415, 9, 2653, 58979];

    public static async Task ClientStreamingAsync(CallInvoker channel, CancellationToken stop)
    {
        await using var call = new TestService.Client(channel).StreamingInputCall(cancellationToken: stop);
        foreach (var bytes in RequestBytes)
            await call.SendAsync(new StreamingInputCallRequest { Payload = Payloads.Zeros(bytes) }, stop);
        Expect.Equal(RequestBytes.Sum(), (await call.CompleteAsync(stop)).AggregatedPayloadSize, "aggregated payload size");
    }

    public static async Task ServerStreamingAsync(CallInvoker channel, CancellationToken stop)
    {
        await using var call = new TestService.Client(channel).StreamingOutputCall(Payloads.Streaming(0, ResponseBytes), cancellationToken: stop);
        var responses = await call.ToListAsync(stop);
        Expect.Equal(ResponseBytes.Length, responses.Count, "responses");
        foreach (var (response, bytes) in responses.Zip(ResponseBytes))
            Payloads.Check(response.Payload, bytes);
    }

    public static async Task PingPongAsync(CallInvoker channel, CancellationToken stop)
    {
        await using var call = new TestService.Client(channel).FullDuplexCall(cancellationToken: stop);
        await using var responses = call.Responses.GetAsyncEnumerator(stop);
        foreach (var (request, response) in RequestBytes.Zip(ResponseBytes))
        {
            await call.SendAsync(Payloads.Streaming(request, response), stop);
            Expect.Equal(true, await responses.MoveNextAsync(), "a response to each request");
            Payloads.Check(responses.Current.Payload, response);
        }

        await call.CompleteAsync(stop);
        Expect.Equal(false, await responses.MoveNextAsync(), "a response after the last request");
    }

    public static async Task EmptyStreamAsync(CallInvoker channel, CancellationToken stop)
    {
        await using var call = new TestService.Client(channel).FullDuplexCall(cancellationToken: stop);
        await call.CompleteAsync(stop);
        Expect.Equal(0, await call.Responses.CountAsync(stop), "responses");
    }
}
