using System.Buffers;
using Weir.Http2.Hpack;

namespace Weir.Http2.Tests.Hpack;

public sealed class HpackAllocationTests
{
    static readonly HeaderField[] Request =
    [
        new(":method", "POST"),
        new(":scheme", "http"),
        new(":path", "/weir.v1.StockService/GetRealTimePrices"),
        new(":authority", "localhost:7070"),
        new("te", "trailers"),
        new("content-type", "application/grpc"),
        new("user-agent", "weir-dotnet/0.1.0"),
        new("grpc-accept-encoding", "identity,gzip"),
        new("grpc-timeout", "10S"),
    ];

    [Fact]
    public void Request_header_that_comes_again_is_encoded_without_allocating()
    {
        var encoder = new HpackEncoder(4096);
        var output = new ArrayBufferWriter<byte>(4096);
        encoder.Encode(Request, output);

        Assert.Equal(0, AllocatedBy(() =>
        {
            output.ResetWrittenCount();
            encoder.Encode(Request, output);
        }));
    }

    [Fact]
    public void Request_header_that_comes_again_is_decoded_without_allocating()
    {
        var encoder = new HpackEncoder(4096);
        var decoder = new HpackDecoder(4096, 32 * 1024);
        decoder.Decode(encoder.Encode(Request));
        byte[] block = encoder.Encode(Request);
        var fields = new List<HeaderField>(Request.Length);

        Assert.Equal(0, AllocatedBy(() =>
        {
            fields.Clear();
            decoder.Decode(block, fields);
        }));
        Assert.Equal(Request, fields);
    }

    static long AllocatedBy(Action action)
    {
        const int WarmUp = 100;
        const int Rounds = 1000;
        for (int i = 0; i < WarmUp; i++)
            action();
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < Rounds; i++)
            action();
        return GC.GetAllocatedBytesForCurrentThread() - before;
    }
}
