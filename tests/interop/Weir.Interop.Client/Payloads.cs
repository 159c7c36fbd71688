using Google.Protobuf;
using Grpc.Testing;

namespace Weir.Interop.Client;

/// <summary>The messages that cases send: payloads of zeros.</summary>
internal static class Payloads
{
    public const int LargeRequestBytes = 271828;
    public const int LargeResponseBytes = 314159;

    public static Payload Zeros(int bytes) => new() { Body = UnsafeByteOperations.UnsafeWrap(new byte[bytes]) };

    public static SimpleRequest Unary(int requestBytes = LargeRequestBytes, int responseBytes = LargeResponseBytes) =>
        new() { ResponseSize = responseBytes, Payload = Zeros(requestBytes) };

    public static StreamingOutputCallRequest Streaming(int requestBytes, params IEnumerable<int> responseBytes) => new()
    {
        Payload = Zeros(requestBytes),
        ResponseParameters = { responseBytes.Select(bytes => new ResponseParameters { Size = bytes }) },
    };

    /// <exception cref="CaseFailedException">The payload is of another size, or not all zeros.</exception>
    public static void Check(Payload? payload, int bytes)
    {
        Expect.Equal(bytes, payload?.Body.Length ?? 0, "bytes of payload");
        if (payload?.Body.Span.ContainsAnyExcept((byte)0) == true)
            throw new CaseFailedException("payload: zeros expected, got something else");
    }
}
