using System.Globalization;
using Google.Protobuf;
using Grpc.Testing;
using Weir.Rpc;
using Status = Weir.Rpc.Status;

namespace Weir.Interop.Server;

/// <summary>What the interop tests ask of a server.</summary>
/// <remarks>https://github.com/grpc/grpc/blob/master/doc/interop-test-descriptions.md, "Server".</remarks>
internal sealed class TestServiceHandler : TestService.Server
{
    private const int LargestPayloadBytes = 64 * 1024 * 1024;

    private static readonly string ServerId = Guid.NewGuid().ToString("N");

    public override ValueTask<Empty> EmptyCall(Empty request, ServerCall call) => new(new Empty());

    public override async ValueTask<SimpleResponse> UnaryCall(SimpleRequest request, ServerCall call)
    {
        if (request.ResponseCompressed?.Value == true)
            call.ResponseCompression = MessageCompression.Gzip;
        call.ResponsesUncompressed = request.ResponseCompressed?.Value == false;
        await EchoMetadata.SendAsync(call);
        CheckCompression(request.ExpectCompressed, call.CompressedRequests > 0);
        ThrowIfAsked(request.ResponseStatus);
        var response = new SimpleResponse { Payload = PayloadOf(request.ResponseSize), Hostname = Environment.MachineName };
        if (request.FillServerId)
            response.ServerId = ServerId;
        return response;
    }

    public override async ValueTask<SimpleResponse> CacheableUnaryCall(SimpleRequest request, ServerCall call)
    {
        var headers = new Metadata();
        headers.Add("cache-control", "max-age=60, public");
        await call.SendHeadersAsync(headers);
        var nanoseconds = (DateTime.UtcNow - DateTime.UnixEpoch).Ticks * TimeSpan.NanosecondsPerTick;
        return new SimpleResponse { Payload = new Payload { Body = ByteString.CopyFromUtf8(nanoseconds.ToString(CultureInfo.InvariantCulture)) } };
    }

    public override async IAsyncEnumerable<StreamingOutputCallResponse> StreamingOutputCall(StreamingOutputCallRequest request, ServerCall call)
    {
        if (request.ResponseParameters.Any(wanted => wanted.Compressed?.Value == true))
            call.ResponseCompression = MessageCompression.Gzip;
        await foreach (var response in AnswersAsync(request, call))
            yield return response;
    }

    public override async ValueTask<StreamingInputCallResponse> StreamingInputCall(IAsyncEnumerable<StreamingInputCallRequest> requests, ServerCall call)
    {
        var bytes = 0;
        var compressedBefore = 0;
        await foreach (var request in requests)
        {
            CheckCompression(request.ExpectCompressed, call.CompressedRequests > compressedBefore);
            compressedBefore = call.CompressedRequests;
            bytes += request.Payload?.Body.Length ?? 0;
        }

        return new StreamingInputCallResponse { AggregatedPayloadSize = bytes };
    }

    public override async IAsyncEnumerable<StreamingOutputCallResponse> FullDuplexCall(IAsyncEnumerable<StreamingOutputCallRequest> requests, ServerCall call)
    {
        await EchoMetadata.SendAsync(call);
        await foreach (var request in requests)
        {
            await foreach (var response in AnswersAsync(request, call))
                yield return response;
        }
    }

    public override async IAsyncEnumerable<StreamingOutputCallResponse> HalfDuplexCall(IAsyncEnumerable<StreamingOutputCallRequest> requests, ServerCall call)
    {
        foreach (var request in await requests.ToListAsync(call.CancellationToken))
        {
            await foreach (var response in AnswersAsync(request, call))
                yield return response;
        }
    }

    private static async IAsyncEnumerable<StreamingOutputCallResponse> AnswersAsync(StreamingOutputCallRequest request, ServerCall call)
    {
        ThrowIfAsked(request.ResponseStatus);
        foreach (var wanted in request.ResponseParameters)
        {
            if (wanted.IntervalUs > 0)
                await Task.Delay(TimeSpan.FromMicroseconds(wanted.IntervalUs), call.CancellationToken);
            call.ResponsesUncompressed = wanted.Compressed?.Value != true;
            yield return new StreamingOutputCallResponse { Payload = PayloadOf(wanted.Size) };
        }
    }

    private static Payload PayloadOf(int bytes) => bytes is >= 0 and <= LargestPayloadBytes
        ? new Payload { Body = UnsafeByteOperations.UnsafeWrap(new byte[bytes]) }
        : throw new RpcException(StatusCode.InvalidArgument, $"a payload of {bytes} bytes is asked for; 0 to {LargestPayloadBytes} are allowed");

    private static void ThrowIfAsked(EchoStatus? status)
    {
        if (status is { Code: not 0 })
            throw new RpcException(new Status((StatusCode)status.Code, status.Message));
    }

    private static void CheckCompression(BoolValue? expected, bool isCompressed)
    {
        if (expected is not null && expected.Value != isCompressed)
            throw new RpcException(StatusCode.InvalidArgument, isCompressed ? "a compressed message came; one without compression is expected" : "a message without compression came; a compressed one is expected");
    }
}
