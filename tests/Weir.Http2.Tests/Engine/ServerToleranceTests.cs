using System.Text;
using Weir.Http2.Tests.Wire;

namespace Weir.Http2.Tests.Engine;

/// <summary>What RFC 9113 asks a server to take, seldom as it comes.</summary>
public sealed class ServerToleranceTests
{
    [Fact]
    public async Task Unknown_frames_settings_flags_and_error_codes_are_ignored()
    {
        await using var server = await ServerUnderTest.StartAsync(settings: [(0xf0f0, 1), (9, uint.MaxValue)]);
        TestStream stream = await server.OpenAsync(1);
        await server.Peer.SendAsync(
            new WireFrame((WireFrameType)0x16, 0xff, 0, [1, 2, 3]),
            new WireFrame((WireFrameType)0xff, 0xff, 1, []),
            new WireFrame((WireFrameType)0x16, 0, 99, [1]),
            new WireFrame(WireFrameType.Ping, 0xfe, 0, new byte[8]),
            new WireFrame(WireFrameType.WindowUpdate, 0xff, 1, [0x80, 0, 0, 1]),
            new WireFrame(WireFrameType.RstStream, 0xff, 1, [0xff, 0xff, 0xff, 0xff]));
        WireFrame answer = Assert.Single(await server.FenceAsync());
        Assert.True(answer.Type == WireFrameType.Ping && answer.IsAck);
        Assert.Equal((Http2ErrorCode)uint.MaxValue, (await stream.AbortAsync()).ErrorCode);
        await server.CheckNextStreamAsync(3);
    }

    [Fact]
    public async Task Priority_is_accepted_on_streams_of_every_state()
    {
        await using var server = await ServerUnderTest.StartAsync();
        await server.OpenAsync(1);
        TestStream ended = await server.OpenAsync(3, endStream: true);
        ended.Answer();
        Assert.Equal(3, (await server.Peer.ReadHeadersAsync()).StreamId);
        await server.Peer.SendAsync(WireFrame.Priority(1, 0), WireFrame.Priority(3, 1), WireFrame.Priority(99, 1), WireFrame.Priority(2, 1));
        Assert.Empty(await server.FenceAsync());
        await server.CheckNextStreamAsync(5);
    }

    [Fact]
    public async Task Header_block_comes_whole_with_padding_priority_and_in_pieces()
    {
        await using var server = await ServerUnderTest.StartAsync();
        byte[] block = WireHeaders.Encode([.. ServerUnderTest.Get, ("te", "trailers"), ("x", new string('v', 300))]);
        await server.Peer.SendAsync(WireFrame.Headers(1, block, true, padding: 255, priority: WireFrame.PriorityFields(0)));
        await server.Peer.SendAsync(WireFrame.HeadersInPieces(3, block, true, pieceLength: 30));
        await server.Peer.SendAsync(
            WireFrame.Headers(5, [], true, endHeaders: false), WireFrame.Continuation(5, block, false), WireFrame.Continuation(5, [], true));
        foreach (int id in new[] { 1, 3, 5 })
        {
            TestStream request = await server.RequestAsync();
            Assert.Equal((id, true, 6), (request.Stream.Id, request.RequestEnds, request.Request!.Count));
            Assert.Equal(new HeaderField("x", new string('v', 300)), request.Request[^1]);
            Assert.True(request.Stream.IsInputCompleted);
        }
    }

    [Fact]
    public async Task Request_with_padded_data_and_trailers_arrives_whole()
    {
        await using var server = await ServerUnderTest.StartAsync();
        await server.Peer.SendAsync(
            WireFrame.Headers(1, false, [.. ServerUnderTest.Post, ("content-length", "5")]),
            WireFrame.Data(1, "he"u8.ToArray(), padding: 7),
            WireFrame.Data(1, [], padding: 0),
            WireFrame.Data(1, "llo"u8.ToArray(), padding: 255),
            WireFrame.Headers(1, true, ("x-end", "yes")));
        TestStream stream = await server.RequestAsync();
        Assert.Equal("hello", Encoding.ASCII.GetString(await stream.ReadToEndAsync()));
        (List<HeaderField> trailers, bool endStream) = await stream.HeadersAsync();
        Assert.Equal([new HeaderField("x-end", "yes")], trailers);
        Assert.True(endStream);
        stream.Answer();
        Assert.True((await server.Peer.SkipToHeadersAsync()).IsEndStream);
        Assert.Equal(0, stream.Aborts);
    }

    [Fact]
    public async Task RstStream_on_a_stream_that_the_client_cancelled_before_its_Headers_is_passed_over()
    {
        // gRPC's C core does so; RFC 9113 §6.4 would have the connection end, and with it every other call of the client.
        await using var server = await ServerUnderTest.StartAsync();
        TestStream open = await server.OpenAsync(1);
        await server.Peer.SendAsync(WireFrame.RstStream(5, Http2ErrorCode.Cancel), WireFrame.RstStream(3, Http2ErrorCode.Cancel));
        await server.CheckNextStreamAsync(7);
        Assert.Equal(0, open.Aborts);
    }

    [Fact]
    public async Task Connect_request_and_request_without_authority_reach_the_handler()
    {
        await using var server = await ServerUnderTest.StartAsync();
        await server.Peer.SendAsync(
            WireFrame.Headers(1, true, (":method", "CONNECT"), (":authority", "a:1")),
            WireFrame.Headers(3, true, (":method", "GET"), (":path", "*"), (":scheme", "http"), ("x", "")));
        Assert.Equal(1, (await server.RequestAsync()).Stream.Id);
        Assert.Equal(3, (await server.RequestAsync()).Stream.Id);
    }

    [Fact]
    public async Task Reset_in_the_read_that_ends_a_wait_is_told_alone()
    {
        await using var server = await ServerUnderTest.StartAsync();
        TestStream stream = await server.OpenAsync(1);
        Assert.True(stream.Stream.WaitForData(1));
        await server.Peer.SendAsync(WireFrame.Data(1, [1]), WireFrame.RstStream(1, Http2ErrorCode.Cancel));
        await server.FenceAsync();
        Assert.Equal((1, 0), (stream.Aborts, stream.Readables));
        Assert.False(stream.Stream.TryRead(1, out _));
        Assert.False(stream.Stream.WaitForData(1));
    }

    [Fact]
    public async Task Stream_reset_inside_OnRequest_tells_its_listener_once()
    {
        await using var server = await ServerUnderTest.StartAsync();
        server.OnRequest = request => request.Stream.Reset(Http2ErrorCode.RefusedStream, "not now");
        await server.Peer.SendAsync(WireFrame.Headers(1, true, ServerUnderTest.Get));
        TestStream stream = await server.RequestAsync();
        Assert.Equal(Http2AbortOrigin.Local, (await stream.AbortAsync()).Origin);
        await server.ExpectResetAsync(1, Http2ErrorCode.RefusedStream);
        server.OnRequest = null;
        await server.CheckNextStreamAsync(3);
        Assert.Equal(1, stream.Aborts);
    }

    [Fact]
    public async Task Answer_given_inside_OnRequest_ends_the_stream_normally()
    {
        await using var server = await ServerUnderTest.StartAsync();
        server.OnRequest = request => request.Answer();
        await server.OpenAsync(1, endStream: true);
        Assert.True((await server.Peer.ReadHeadersAsync()).IsEndStream);
        await server.FenceAsync();
        Assert.Equal(0, server.Connection.ActiveStreams);
    }
}
