using Weir.Http2.Tests.Wire;

namespace Weir.Http2.Tests.Engine;

/// <summary>What the engine sends keeps to the windows that the peer gives (RFC 9113 §5.2, §6.9).</summary>
public sealed class SendFlowControlTests
{
    const int DefaultWindow = 65_535;

    [Fact]
    public async Task Sender_stops_at_the_streams_window_and_goes_on_at_WindowUpdate()
    {
        await using var client = await ClientUnderTest.StartAsync(settings: [(4, 10)]);
        TestStream stream = await client.OpenAsync();
        Task send = stream.SendAsync(Numbers(25));
        Assert.Equal(Numbers(25)[..10], Data(await client.FenceAsync(), 1));
        Assert.False(send.IsCompleted);
        await client.Peer.SendAsync(WireFrame.WindowUpdate(1, 1));
        Assert.Equal(Numbers(25)[10..11], Data(await client.FenceAsync(), 1));
        await client.Peer.SendAsync(WireFrame.WindowUpdate(0, 1_000));
        Assert.Empty(Data(await client.FenceAsync(), 1));
        await client.Peer.SendAsync(WireFrame.WindowUpdate(1, 14));
        Assert.Equal(Numbers(25)[11..], Data(await client.FenceAsync(), 1));
        await send.Within("the send");
        Assert.False(stream.Stream.TrySend(new Octets(new byte[1])));
    }

    [Fact]
    public async Task Senders_stop_at_the_connections_window_and_go_on_at_WindowUpdate()
    {
        await using var client = await ClientUnderTest.StartAsync();
        TestStream first = await client.OpenAsync();
        TestStream second = await client.OpenAsync();
        Task[] sends = [first.SendAsync(new byte[60_000]), second.SendAsync(new byte[60_000])];
        List<WireFrame> frames = await client.FenceAsync();
        Assert.Equal(DefaultWindow, Data(frames, 1).Length + Data(frames, 3).Length);
        await client.Peer.SendAsync(WireFrame.WindowUpdate(0, 120_000 - DefaultWindow));
        frames = [.. client.Peer.Seen.Where(f => f.Type == WireFrameType.Data), .. (await client.FenceAsync())];
        await Task.WhenAll(sends).Within("both sends");
        frames = [.. client.Peer.Seen.Where(f => f.Type == WireFrameType.Data)];
        Assert.Equal((60_000, 60_000), (Data(frames, 1).Length, Data(frames, 3).Length));
    }

    [Fact]
    public async Task Smaller_initial_window_makes_windows_negative_and_WindowUpdate_must_make_up_for_it()
    {
        await using var client = await ClientUnderTest.StartAsync(settings: [(4, 100)]);
        TestStream stream = await client.OpenAsync();
        Task send = stream.SendAsync(Numbers(200));
        Assert.Equal(100, Data(await client.FenceAsync(), 1).Length);
        await client.Peer.SendAsync(WireFrame.Settings((4, 30)), WireFrame.WindowUpdate(1, 70)); // -70, then 0
        Assert.Empty(Data(await client.FenceAsync(settingsBefore: 1), 1));
        await client.Peer.SendAsync(WireFrame.WindowUpdate(1, 5));
        await client.FenceAsync();
        Assert.Equal(105, AllData(client, 1).Length);
        await client.Peer.SendAsync(WireFrame.Settings((4, 125)));
        await client.FenceAsync(settingsBefore: 1);
        Assert.Equal(Numbers(200), AllData(client, 1));
        await send.Within("the send");
    }

    [Fact]
    public async Task Payload_is_split_at_the_peers_frame_size()
    {
        await using var client = await ClientUnderTest.StartAsync(settings: [(4, 1 << 20), (5, 20_000)]);
        await client.Peer.SendAsync(WireFrame.WindowUpdate(0, 1 << 20));
        TestStream stream = await client.OpenAsync();
        await stream.SendAsync(Numbers(50_000)).Within("the send");
        await client.FenceAsync();
        Assert.Equal([20_000, 20_000, 10_000], client.Peer.Seen.Where(f => f.Type == WireFrameType.Data).Select(f => f.Payload.Length));
        Assert.Equal(Numbers(50_000), AllData(client, 1));
    }

    [Fact]
    public async Task Payload_larger_than_the_output_goes_through_whole()
    {
        await using var client = await ClientUnderTest.StartAsync(new Http2Options { OutputHighWaterBytes = 16 * 1024 }, [(4, 1 << 22)]);
        await client.Peer.SendAsync(WireFrame.WindowUpdate(0, 1 << 22));
        TestStream stream = await client.OpenAsync();
        byte[] payload = Numbers(1_000_000);
        Task send = stream.SendAsync(payload);
        for (int received = 0; received < payload.Length;)
            received += (await client.SkipDataToAsync(WireFrameType.Data)).Payload.Length;
        Assert.Equal(payload, AllData(client, 1));
        await send.Within("the send");
    }

    [Fact]
    public async Task Headers_and_the_empty_end_of_a_stream_need_no_window()
    {
        await using var client = await ClientUnderTest.StartAsync(settings: [(4, 0)]);
        TestStream stream = await client.OpenAsync();
        Assert.False(stream.Stream.TrySend(new Octets(new byte[1])));
        stream.Stream.SendEndOfStream();
        WireFrame end = await client.Peer.ReadFrameAsync(WireFrameType.Data);
        Assert.Equal((1, true, 0), (end.StreamId, end.IsEndStream, end.Payload.Length));
        Assert.Throws<InvalidOperationException>(() => stream.Stream.SendEndOfStream());
        Assert.Throws<InvalidOperationException>(() => stream.Stream.TrySend(new Octets(new byte[1])));
    }

    [Fact]
    public async Task End_of_stream_and_trailers_wait_behind_payloads()
    {
        await using var client = await ClientUnderTest.StartAsync(settings: [(4, 3)]);
        TestStream stream = await client.OpenAsync();
        Task send = stream.SendAsync(Numbers(5));
        Assert.Throws<ArgumentException>(() => stream.Stream.SendHeaders([new("x", "\u0100")], endStream: true));
        stream.Stream.SendHeaders([new("x", "y")], endStream: true);
        Assert.Equal(3, Data(await client.FenceAsync(), 1).Length);
        await client.Peer.SendAsync(WireFrame.WindowUpdate(1, 100));
        Assert.Equal(2, (await client.SkipDataToAsync(WireFrameType.Data)).Payload.Length);
        WireHeaderBlock trailers = await client.Peer.ReadHeadersAsync();
        Assert.Equal((true, "y"), (trailers.IsEndStream, trailers["x"]));
        await send.Within("the send");
    }

    [Fact]
    public async Task Empty_payload_behind_a_waiting_one_is_sent()
    {
        await using var client = await ClientUnderTest.StartAsync(settings: [(4, 1)]);
        TestStream stream = await client.OpenAsync();
        Task[] sends = [stream.SendAsync(Numbers(2)), stream.SendAsync([]), stream.SendAsync(Numbers(1))];
        stream.Stream.SendEndOfStream();
        Assert.Single(Data(await client.FenceAsync(), 1));
        await client.Peer.SendAsync(WireFrame.WindowUpdate(1, 100));
        while (!(await client.SkipDataToAsync(WireFrameType.Data)).IsEndStream)
            Assert.InRange(client.Peer.Seen.Count, 0, 20);
        Assert.Equal(3, AllData(client, 1).Length);
        await Task.WhenAll(sends).Within("all sends");
    }

    [Fact]
    public async Task Reset_stream_leaves_the_connections_window_to_the_others()
    {
        await using var client = await ClientUnderTest.StartAsync();
        TestStream first = await client.OpenAsync();
        TestStream second = await client.OpenAsync();
        Task stuck = first.SendAsync(new byte[200_000]);
        await client.FenceAsync();
        first.Stream.Reset(Http2ErrorCode.Cancel, "enough");
        await Assert.ThrowsAsync<Http2StreamException>(() => stuck.Within("the failed send"));
        Task send = second.SendAsync(new byte[1_000]);
        await client.Peer.SendAsync(WireFrame.WindowUpdate(0, 1_000));
        await client.FenceAsync();
        await send.Within("the other stream's send");
        Assert.Equal((DefaultWindow, 1_000), (AllData(client, 1).Length, AllData(client, 3).Length));
    }

    static byte[] Numbers(int count) => [.. Enumerable.Range(0, count).Select(i => (byte)(i % 251))];

    static byte[] AllData(EngineUnderTest engine, int streamId) => Data(engine.Peer.Seen, streamId);

    static byte[] Data(IEnumerable<WireFrame> frames, int streamId) =>
        [.. frames.Where(f => f.Type == WireFrameType.Data && f.StreamId == streamId).SelectMany(f => f.Content.ToArray())];
}
