using System.Text;
using Weir.Http2.Hpack;
using Weir.Http2.Tests.Hpack;

namespace Weir.Http2.Tests.Wire;

/// <summary>The test codec itself: its octets, spelled out, and two peers that talk to each other.</summary>
public sealed class WirePeerTests
{
    [Fact]
    public void Frames_have_the_octets_of_RFC_9113()
    {
        AssertBytes("000006 04 00 00000000 0004 0000ffff", WireFrame.Settings((4, 65535)));
        AssertBytes("000000 04 01 00000000", WireFrame.SettingsAck());
        AssertBytes("000005 01 05 00000001 00 0161 0162", WireFrame.Headers(1, endStream: true, ("a", "b")));
        AssertBytes("00000a 01 2c 00000003 02 80000001 0f 0bad 0000", WireFrame.Headers(
            3, [0x0b, 0xad], endStream: false, padding: 2, priority: WireFrame.PriorityFields(1, exclusive: true)));
        AssertBytes("000001 09 04 00000001 82", WireFrame.Continuation(1, [0x82], endHeaders: true));
        AssertBytes("000006 00 09 00000001 03 6869 000000", WireFrame.Data(1, "hi"u8.ToArray(), endStream: true, padding: 3));
        AssertBytes("000008 06 01 00000000 0000000000000007", WireFrame.Ping(7, ack: true));
        AssertBytes("000009 07 00 00000000 00000005 0000000b 21", WireFrame.GoAway(5, Http2ErrorCode.EnhanceYourCalm, (byte)'!'));
        AssertBytes("000004 03 00 00000001 00000008", WireFrame.RstStream(1, Http2ErrorCode.Cancel));
        AssertBytes("000004 08 00 00000000 00000100", WireFrame.WindowUpdate(0, 256));
        AssertBytes("000005 02 00 00000003 00000001 0f", WireFrame.Priority(3, dependsOn: 1));
    }

    [Fact]
    public async Task Two_peers_understand_each_other()
    {
        (var client, var server) = CreatePeers();
        await client.SendPrefaceAsync((3, 100));
        byte[] block = WireHeaders.Encode(("a", "b"), ("long", new string('x', 300)));
        await client.SendAsync(WireFrame.HeadersInPieces(1, block, endStream: false, pieceLength: 100));
        await client.SendAsync(WireFrame.Data(1, "hello"u8.ToArray(), padding: 9), WireFrame.GoAway(7, Http2ErrorCode.Cancel));
        await client.SendAsync(WireFrame.WindowUpdate(1, 10), WireFrame.RstStream(1, Http2ErrorCode.StreamClosed));
        await client.CompleteOutputAsync();

        await server.ReadPrefaceAsync();
        Assert.Equal([((ushort)3, 100u)], (await server.ReadFrameAsync(WireFrameType.Settings)).Parameters);
        WireHeaderBlock headers = await server.ReadHeadersAsync();
        Assert.Equal((1, false, "b", 300), (headers.StreamId, headers.IsEndStream, headers["a"], headers["long"].Length));
        Assert.Equal("hello", Encoding.ASCII.GetString((await server.ReadFrameAsync(WireFrameType.Data)).Content.Span));
        WireFrame goAway = await server.ReadFrameAsync();
        Assert.Equal((7, Http2ErrorCode.Cancel), (goAway.LastStreamId, goAway.ErrorCode));
        Assert.Equal(Http2ErrorCode.StreamClosed, (await server.SkipToAsync(WireFrameType.RstStream)).ErrorCode);
        Assert.Equal(10, server.Seen[^2].Increment);
        await server.ReadEndAsync();
    }

    [Fact]
    public async Task Empty_frame_is_read_without_waiting_for_what_follows_and_other_frames_are_passed_over()
    {
        (var client, var server) = CreatePeers();
        await client.SendAsync(WireFrame.SettingsAck());
        Assert.True((await server.ReadFrameAsync(WireFrameType.Settings)).IsAck);

        await client.SendAsync(WireFrame.Ping(1), WireFrame.Headers(1, endStream: true, ("a", "b")));
        Assert.Equal("b", (await server.SkipToHeadersAsync())["a"]);
    }

    [Fact]
    public async Task Connection_that_ends_inside_a_frame_says_what_was_awaited()
    {
        (var client, var server) = CreatePeers();
        await client.SendAsync(WireFrame.Ping(1).ToBytes()[..12]);
        await client.CompleteOutputAsync();

        var error = await Assert.ThrowsAsync<EndOfStreamException>(() => server.ReadFrameAsync(WireFrameType.Ping));
        Assert.Contains("3 of 8 octets of Ping", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Header_decoder_follows_the_encoder_through_indexing_eviction_and_size_updates()
    {
        var encoder = new HpackEncoder(4096);
        var decoder = new WireHeaders();
        for (int i = 0; i < 300; i++)
        {
            if (i % 50 == 0)
                encoder.SetMaxTableBytes(i % 100 == 0 ? 256 : 4096);
            HeaderField[] fields = [new(":path", $"/item/{i % 40}"), new("x-id", $"id {i % 7}"), new("date", "~today~")];
            Assert.Equal(fields.Select(f => (f.Name, f.Value)), decoder.Decode(encoder.Encode(fields)));
        }
    }

    static (WirePeer First, WirePeer Second) CreatePeers()
    {
        var (first, second) = DuplexPipePair.Create();
        return (new WirePeer(first), new WirePeer(second));
    }

    static void AssertBytes(string hex, WireFrame frame) => Assert.Equal(HpackBlocks.Hex(hex), frame.ToBytes());
}
