using Weir.Rpc;

namespace Weir.Interop.Server;

/// <summary>Sends back the two entries of metadata by which a client can tell that metadata arrives.</summary>
internal static class EchoMetadata
{
    private const string Initial = "x-grpc-test-echo-initial";
    private const string Trailing = "x-grpc-test-echo-trailing-bin";

    public static async ValueTask SendAsync(ServerCall call)
    {
        if (call.RequestHeaders.GetBytes(Trailing) is { } bytes)
            call.ResponseTrailers.Add(Trailing, bytes);
        if (call.RequestHeaders.GetValue(Initial) is not { } text)
            return;
        var headers = new Metadata();
        headers.Add(Initial, text);
        await call.SendHeadersAsync(headers);
    }
}
