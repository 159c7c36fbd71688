using Grpc.Testing;
using Weir.Rpc;

namespace Weir.Interop.Client;

/// <summary>Cases of compressed messages. The probes make sure that the server looks at the flag at all.</summary>
internal static class CompressionCases
{
    private static readonly CallOptions Compressed = new() { Compression = MessageCompression.Gzip };

    public static async Task ClientUnaryAsync(CallInvoker channel, CancellationToken stop)
    {
        var service = new TestService.Client(channel);
        await Expect.CodeAsync(StatusCode.InvalidArgument, () => service.UnaryCall(Request(expected: true), Compressed with { RequestUncompressed = true }, stop).AsTask());
        Payloads.Check((await service.UnaryCall(Request(expected: true), Compressed, stop)).Payload, Payloads.LargeResponseBytes);
        Payloads.Check((await service.UnaryCall(Request(expected: false), cancellationToken: stop)).Payload, Payloads.LargeResponseBytes);

        static SimpleRequest Request(bool expected)
        {
            var request = Payloads.Unary();
            request.ExpectCompressed = new BoolValue { Value = expected };
            return request;
        }
    }

    public static async Task ServerUnaryAsync(CallInvoker channel, CancellationToken stop)
    {
        foreach (var wanted in new[] { true, false })
        {
            var request = Payloads.Unary();
            request.ResponseCompressed = new BoolValue { Value = wanted };
            var call = new TestService.Client(channel).UnaryCall(request, cancellationToken: stop);
            Payloads.Check((await call).Payload, Payloads.LargeResponseBytes);
            Expect.Equal(wanted ? 1 : 0, call.CompressedResponses, $"compressed responses when response_compressed is {wanted}");
        }
    }

    public static async Task ClientStreamingAsync(CallInvoker channel, CancellationToken stop)
    {
        var service = new TestService.Client(channel);
        await Expect.CodeAsync(StatusCode.InvalidArgument, async () =>
        {
            await using var probe = service.StreamingInputCall(Compressed, stop);
            await probe.SendAsync(Request(27182, expected: true), uncompressed: true, stop);
            await probe.CompleteAsync(stop);
        });

        await using var call = service.StreamingInputCall(Compressed, stop);
        await call.SendAsync(Request(27182, expected: true), stop);
        await call.SendAsync(Request(45904, expected: false), uncompressed: true, stop);
        Expect.Equal(73086, (await call.CompleteAsync(stop)).AggregatedPayloadSize, "aggregated payload size");

        static StreamingInputCallRequest Request(int bytes, bool expected) =>
            new() { Payload = Payloads.Zeros(bytes), ExpectCompressed = new BoolValue { Value = expected } };
    }

    public static async Task ServerStreamingAsync(CallInvoker channel, CancellationToken stop)
    {
        (int Bytes, bool IsCompressed)[] wanted = [(31415, true), (92653, false)];
        var request = new StreamingOutputCallRequest
        {
            ResponseParameters =
            {
                wanted.Select(one => new ResponseParameters { Size = one.Bytes, Compressed = new BoolValue { Value = one.IsCompressed } }),
            },
        };
        await using var call = new TestService.Client(channel).StreamingOutputCall(request, cancellationToken: stop);
        await using var responses = call.GetAsyncEnumerator(stop);
        var compressed = 0;
        foreach (var (bytes, isCompressed) in wanted)
        {
            Expect.Equal(true, await responses.MoveNextAsync(), "a response for each that was asked for");
            Payloads.Check(responses.Current.Payload, bytes);
            compressed += isCompressed ? 1 : 0;
            Expect.Equal(compressed, call.CompressedResponses, $"compressed responses after the one of {bytes} bytes");
        }

        Expect.Equal(false, await responses.MoveNextAsync(), "a response more than was asked for");
    }
}
