using System.Diagnostics;
using System.Globalization;
using Google.Protobuf;
using Grpc.Testing;
using Weir.Rpc;

namespace Weir.Interop.Client;

/// <summary>A response that a caching proxy between client and server may keep.</summary>
internal static class CacheableCase
{
    private const string NotCached = "no proxy has kept the first response: gRPC sends its calls with POST, whose answers caches do not keep";

    /// <summary>Calls twice with one request, marked as the description says. A proxy that keeps the answer gives it twice; without one all that can be
    /// seen is that the server allows it to be kept, which is said on standard output.</summary>
    public static async Task RunAsync(CallInvoker channel, CancellationToken stop)
    {
        var headers = new Metadata();
        headers.Add("x-user-ip", "1.2.3.4"); // some proxies keep nothing for clients on their own host
        var options = new CallOptions { Headers = headers };
        var now = string.Create(CultureInfo.InvariantCulture, $"{Stopwatch.GetTimestamp()} {DateTime.UtcNow.Ticks}");
        var request = new SimpleRequest { Payload = new Payload { Body = ByteString.CopyFromUtf8(now) } };
        var service = new TestService.Client(channel);

        var first = await CallAsync();
        var second = await CallAsync();
        if (!first.Equals(second))
            await Console.Out.WriteLineAsync(NotCached);

        async Task<ByteString> CallAsync()
        {
            var call = service.CacheableUnaryCall(request, options, stop);
            var body = (await call).Payload?.Body ?? ByteString.Empty;
            Expect.Equal(false, body.IsEmpty, "an empty payload");
            var cacheControl = (await call.GetResponseHeadersAsync()).GetValue("cache-control") ?? "";
            Expect.Equal(true, cacheControl.Contains("max-age=", StringComparison.Ordinal), $"max-age in cache-control, which is \"{cacheControl}\"");
            return body;
        }
    }
}
