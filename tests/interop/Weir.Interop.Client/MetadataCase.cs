using Grpc.Testing;
using Weir.Rpc;

namespace Weir.Interop.Client;

/// <summary>Metadata, text and bytes, comes back in headers and trailers.</summary>
internal static class MetadataCase
{
    private const string Initial = "x-grpc-test-echo-initial";
    private const string InitialValue = "test_initial_metadata_value";
    private const string Trailing = "x-grpc-test-echo-trailing-bin";
    private static readonly byte[] TrailingValue = [0xab, 0xab, 0xab];

    public static async Task RunAsync(CallInvoker channel, CancellationToken stop)
    {
        var headers = new Metadata();
        headers.Add(Initial, InitialValue);
        headers.Add(Trailing, TrailingValue);
        var options = new CallOptions { Headers = headers };
        var service = new TestService.Client(channel);

        var unary = service.UnaryCall(Payloads.Unary(), options, stop);
        Payloads.Check((await unary).Payload, Payloads.LargeResponseBytes);
        Check(await unary.GetResponseHeadersAsync(), unary.Trailers);

        await using var duplex = service.FullDuplexCall(options, stop);
        await duplex.SendAsync(Payloads.Streaming(Payloads.LargeRequestBytes, Payloads.LargeResponseBytes), stop);
        await duplex.CompleteAsync(stop);
        Expect.Equal(1, await duplex.Responses.CountAsync(stop), "responses");
        Check(await duplex.GetResponseHeadersAsync(), duplex.Trailers);
    }

    private static void Check(Metadata headers, Metadata trailers)
    {
        Expect.Equal(InitialValue, headers.GetValue(Initial), Initial);
        Expect.Equal(Convert.ToHexString(TrailingValue), trailers.GetBytes(Trailing) is { } bytes ? Convert.ToHexString(bytes.Span) : null, Trailing);
    }
}
