using Weir.Http2.Tests.Wire;
using static Weir.Http2.Http2ErrorCode;

namespace Weir.Http2.Tests.Engine;

/// <summary>Windows that grow with the bandwidth-delay product: when, how far, and when not.</summary>
public sealed class WindowGrowthTests
{
    const int StreamWindow = 64 * 1024;
    const int ConnectionWindow = 512 * 1024;
    const int MostOfStream = 512 * 1024;
    const int MostOfConnection = 1024 * 1024;

    const int Bulk = 128 * 1024; // in a round trip

    static readonly TimeSpan RoundTripTime = TimeSpan.FromMilliseconds(20);

    [Fact]
    public async Task Windows_grow_to_their_bounds_when_the_reader_takes_all_that_they_let_pass()
    {
        await using var server = await ServerUnderTest.StartAsync(Small());
        TestStream stream = await server.OpenAsync(1);
        var peer = new FarPeer(server, RoundTripTime);
        var sizes = new List<int>();
        for (int i = 0; i < 40; i++)
        {
            await peer.StreamAsync(stream, 1);
            sizes.Add(stream.Stream.ReceiveWindow.SizeBytes);
        }

        Assert.Equal(sizes.Order(), sizes);
        Assert.Equal((MostOfStream, MostOfConnection), (sizes[^1], server.Connection.Credit.ConnectionSizeBytes));
        Assert.InRange(sizes.Distinct().Count(), 3, 10); // step by step, each at most a doubling
        Assert.All(sizes.Zip(sizes.Skip(1)), step => Assert.InRange(step.Second, step.First, 2 * step.First));
        await AssertWholeAsync(server, peer, 1, MostOfStream, MostOfConnection);
    }

    [Fact]
    public async Task Window_at_its_bound_lets_no_more_pass_than_that()
    {
        await using var server = await ServerUnderTest.StartAsync(Small());
        TestStream stream = await server.OpenAsync(1);
        var peer = new FarPeer(server, RoundTripTime);
        await peer.StreamAsync(stream, 40);
        int sent = await peer.SendAsync(1);
        Assert.InRange(sent, MostOfStream - (StreamWindow / 2) + 1, MostOfStream);
        await server.Peer.SendAsync(WireFrame.Data(1, [1]));
        await server.ExpectResetAsync(1, FlowControlError);
        await server.CheckNextStreamAsync(3);
    }

    [Fact]
    public async Task Windows_stay_when_options_give_them_no_room_to_grow()
    {
        Http2Options options = Small();
        options.MaxStreamWindowBytes = 1; // less than it starts with: it stays as it is
        options.MaxConnectionWindowBytes = 65_535;
        await using var server = await ServerUnderTest.StartAsync(options);
        TestStream stream = await server.OpenAsync(1);
        var peer = new FarPeer(server, RoundTripTime);
        await peer.StreamAsync(stream, 40);
        Assert.Equal((StreamWindow, ConnectionWindow), (stream.Stream.ReceiveWindow.SizeBytes, server.Connection.Credit.ConnectionSizeBytes));
        Assert.Equal(0, peer.Pings);
    }

    [Theory]
    [InlineData(50, false)] // 64 KiB in 50 us are 10 Gbit/s
    [InlineData(80, true)]
    public async Task Window_that_lets_ten_gigabits_a_second_pass_stays(int microseconds, bool grows)
    {
        await using var server = await ServerUnderTest.StartAsync(Small());
        TestStream stream = await server.OpenAsync(1);
        var peer = new FarPeer(server, TimeSpan.FromMicroseconds(microseconds));
        await peer.StreamAsync(stream, 30);
        Assert.Equal((3, grows), (peer.Pings, stream.Stream.ReceiveWindow.SizeBytes > StreamWindow));
    }

    [Fact]
    public async Task Window_settles_when_the_sender_is_the_limit()
    {
        await using var server = await ServerUnderTest.StartAsync(Small());
        TestStream stream = await server.OpenAsync(1);
        var peer = new FarPeer(server, RoundTripTime);
        await peer.StreamAsync(stream, 40, most: StreamWindow / 2);
        int settled = stream.Stream.ReceiveWindow.SizeBytes;
        Assert.InRange(settled, StreamWindow, 2 * StreamWindow);
        await peer.StreamAsync(stream, 40, most: StreamWindow / 2);
        Assert.Equal(settled, stream.Stream.ReceiveWindow.SizeBytes);
    }

    [Fact]
    public async Task Window_of_a_reader_that_is_slower_than_the_sender_stays()
    {
        await using var server = await ServerUnderTest.StartAsync(Small());
        TestStream stream = await server.OpenAsync(1);
        var peer = new FarPeer(server, RoundTripTime);
        await peer.SendAsync(1);
        await peer.SeeAsync();
        for (int i = 0; i < 60; i++)
        {
            for (int piece = 0; piece < 10; piece++)
                await stream.ReadAsync((StreamWindow / 20) + 1);
            await peer.PassAsync();
            await peer.SendAsync(1); // it is full again
            await peer.SeeAsync();
        }

        Assert.InRange(peer.Pings, 1, 5); // it was measured
        Assert.Equal(StreamWindow, stream.Stream.ReceiveWindow.SizeBytes);
    }

    [Fact]
    public async Task Window_of_a_reader_that_pauses_and_then_reads_all_at_once_stays()
    {
        await using var server = await ServerUnderTest.StartAsync(Small());
        TestStream stream = await server.OpenAsync(1);
        var peer = new FarPeer(server, RoundTripTime);
        for (int i = 0; i < 60; i++)
        {
            int bytes = await peer.SendAsync(1);
            await peer.PassAsync(TimeSpan.FromMilliseconds(150)); // all of it waits for the reader
            for (int left = bytes; left > 0; left -= 4_096)
                await stream.ReadAsync(Math.Min(left, 4_096));
            await peer.PassAsync();
        }

        Assert.InRange(peer.Pings, 1, 10);
        Assert.Equal(StreamWindow, stream.Stream.ReceiveWindow.SizeBytes);
    }

    [Fact]
    public async Task Ping_is_sent_for_bulk_only()
    {
        await using var server = await ServerUnderTest.StartAsync();
        TestStream stream = await server.OpenAsync(1);
        var peer = new FarPeer(server, RoundTripTime);

        // 1 MB/s, for 8 s: as much as a quick ping-pong.
        for (int i = 0; i < 80; i++)
        {
            await server.Peer.SendAsync([.. Enumerable.Repeat(WireFrame.Data(1, new byte[100]), 1_000)]);
            for (int n = 0; n < 1_000; n++)
                await stream.ReadAsync(100);
            await peer.PassAsync(TimeSpan.FromMilliseconds(100));
        }

        Assert.Equal(0, peer.Pings);

        // Twice a half of the window, 10 ms apart.
        server.Time.Advance(TimeSpan.FromSeconds(1));
        for (int i = 0; i < 2; i++)
        {
            await peer.SendAsync(1, 512 * 1024);
            await stream.ReadAsync(512 * 1024);
            await peer.PassAsync(TimeSpan.FromMilliseconds(10));
        }

        Assert.Equal(1, peer.Pings);
    }

    [Fact]
    public async Task Pings_are_three_at_first_and_then_two_seconds_apart_and_never_two_at_once()
    {
        await using var server = await ServerUnderTest.StartAsync(Ample());
        TestStream stream = await server.OpenAsync(1);
        var peer = new FarPeer(server, RoundTripTime);
        await peer.StreamAsync(stream, 60, Bulk); // 1.2 s
        Assert.Equal(3, peer.Pings);
        server.Time.Advance(TimeSpan.FromSeconds(2));
        Assert.Empty(await peer.SeeAsync()); // not without DATA
        await peer.StreamAsync(stream, 25, Bulk);
        Assert.Equal(4, peer.Pings);
        peer.Answers = false;
        server.Time.Advance(TimeSpan.FromSeconds(2));
        await peer.StreamAsync(stream, 25, Bulk);
        Assert.Equal(5, peer.Pings);
        server.Time.Advance(TimeSpan.FromSeconds(20));
        await peer.StreamAsync(stream, 25, Bulk);
        Assert.Equal(5, peer.Pings);
    }

    [Fact]
    public async Task Pings_of_a_client_are_no_strikes_for_a_server_that_forgives_none()
    {
        await using var client = await ClientUnderTest.StartAsync(Ample());
        TestStream stream = await client.OpenAsync();
        await client.Peer.SendAsync(WireFrame.Headers(1, false, (":status", "200")));
        await stream.HeadersAsync();
        var peer = new FarPeer(client, RoundTripTime)
        {
            Strikes = new PingStrikes(new Http2Options { TimeProvider = client.Time, MaxPingStrikes = 0, MinPingInterval = TimeSpan.FromDays(1) }),
        };
        for (int i = 0; i < 8; i++)
        {
            await peer.StreamAsync(stream, 20, Bulk);
            client.Time.Advance(TimeSpan.FromSeconds(1));
        }

        Assert.InRange(peer.Pings, 5, 8);
    }

    [Fact]
    public async Task Nothing_grows_when_Pings_are_never_answered()
    {
        await using var server = await ServerUnderTest.StartAsync(Small());
        TestStream stream = await server.OpenAsync(1);
        var peer = new FarPeer(server, RoundTripTime) { Answers = false };
        await peer.StreamAsync(stream, 60);
        Assert.Equal(1, peer.Pings);
        Assert.Equal((StreamWindow, ConnectionWindow), (stream.Stream.ReceiveWindow.SizeBytes, server.Connection.Credit.ConnectionSizeBytes));
        await AssertWholeAsync(server, peer, 1, StreamWindow, ConnectionWindow);
    }

    [Fact]
    public async Task Answer_to_no_Ping_counts_as_a_frame_without_effect()
    {
        Http2Options options = Small();
        options.MaxEmptyFramesPerSecond = 1;
        await using var server = await ServerUnderTest.StartAsync(options);
        await server.Peer.SendAsync([.. Enumerable.Repeat(WireFrame.Ping(unchecked((ulong)RoundTrip.Ping), ack: true), 10)]);
        await server.ExpectConnectionErrorAsync(EnhanceYourCalm, 0, "frames without effect");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Nothing_grows_and_no_Ping_is_sent_after_GoAway(bool own)
    {
        await using var client = await ClientUnderTest.StartAsync(Small());
        TestStream stream = await client.OpenAsync();
        await client.Peer.SendAsync(WireFrame.Headers(1, false, (":status", "200")));
        await stream.HeadersAsync();
        var peer = new FarPeer(client, RoundTripTime);
        for (int i = 0; i < 30 && stream.Stream.ReceiveWindow.SizeBytes == StreamWindow; i++)
            await peer.StreamAsync(stream, 1);
        int before = stream.Stream.ReceiveWindow.SizeBytes;
        Assert.InRange(before, StreamWindow + 1, MostOfStream - 1);
        if (own)
            client.Connection.BeginDrain();
        else
            await client.Peer.SendAsync(WireFrame.GoAway(1, NoError));
        await peer.SeeAsync();
        int pings = peer.Pings;
        client.Time.Advance(TimeSpan.FromSeconds(3));
        await peer.StreamAsync(stream, 30);
        Assert.Equal((before, pings), (stream.Stream.ReceiveWindow.SizeBytes, peer.Pings));
        Assert.InRange(peer.StreamBytes(1), before - (StreamWindow / 2) + 1, before); // it is still given back
    }

    [Fact]
    public async Task Streams_that_nobody_reads_leave_room_for_one_more_up_to_the_connections_bound()
    {
        var options = new Http2Options { StreamWindowBytes = 10_000, ConnectionWindowBytes = 80_000, MaxConnectionWindowBytes = 160_000 };
        await using var server = await ServerUnderTest.StartAsync(options);
        var peer = new FarPeer(server, RoundTripTime);
        for (int i = 0; i < 15; i++)
        {
            await server.OpenAsync((2 * i) + 1);
            Assert.Equal(10_000, await peer.SendAsync((2 * i) + 1));
            await peer.SeeAsync();
            Assert.InRange(peer.ConnectionBytes, 10_000, 80_000);
        }

        await server.OpenAsync(31);
        Assert.Equal(10_000, await peer.SendAsync(31));
        await peer.SeeAsync();
        Assert.Equal((0, 160_000, 0), (peer.ConnectionBytes, server.Connection.Credit.ConnectionSizeBytes, peer.Pings));
        await server.OpenAsync(33);
        await server.Peer.SendAsync(WireFrame.Data(33, [1]));
        await server.ExpectConnectionErrorAsync(FlowControlError, 33, "window");
    }

    [Fact]
    public async Task Connections_window_grows_for_many_streams_whose_own_windows_do_not()
    {
        var options = new Http2Options
        {
            StreamWindowBytes = StreamWindow,
            MaxStreamWindowBytes = StreamWindow,
            ConnectionWindowBytes = 2 * StreamWindow,
            MaxConnectionWindowBytes = 1 << 20,
        };
        await using var server = await ServerUnderTest.StartAsync(options);
        var streams = new List<TestStream>();
        for (int i = 0; i < 8; i++)
            streams.Add(await server.OpenAsync((2 * i) + 1));
        var peer = new FarPeer(server, RoundTripTime);
        for (int i = 0; i < 40; i++)
        {
            foreach (TestStream stream in streams)
                await stream.ReadAsync(await peer.SendAsync(stream.Stream.Id));
            await peer.PassAsync();
        }

        Assert.InRange(server.Connection.Credit.ConnectionSizeBytes, 4 * StreamWindow, 1 << 20);
        Assert.All(streams, stream => Assert.Equal(StreamWindow, stream.Stream.ReceiveWindow.SizeBytes));
    }

    [Fact]
    public async Task Growth_before_Settings_are_acknowledged_keeps_what_the_peer_may_send_in_order()
    {
        var options = new Http2Options { StreamWindowBytes = 20_000, MaxStreamWindowBytes = 200_000 };
        await using var server = new ServerUnderTest(options);
        _ = server.Run();
        await server.Peer.SendPrefaceAsync();
        TestStream stream = await server.OpenAsync(1);
        var given = 0L;
        var sent = 0L;
        var settings = 1;
        for (int i = 0; i < 60; i++)
        {
            byte[] octets = new byte[10_000];
            await server.Peer.SendAsync(WireFrame.Data(1, octets));
            await stream.ReadAsync(octets.Length);
            sent += octets.Length;
            List<WireFrame> frames = await server.FenceAsync(settings);
            settings = 0;
            given += frames.Where(f => f.Type == WireFrameType.WindowUpdate && f.StreamId == 1).Sum(f => f.Increment);
            server.Time.Advance(TimeSpan.FromMilliseconds(10));
            await server.Peer.SendAsync([.. frames.Where(f => f.Type == WireFrameType.Ping).Select(f => f with { Flags = WireFrame.AckFlag })]);
        }

        // The peer's ledger once it goes by our SETTINGS: its initial window is 20,000 then.
        await server.Peer.SendAsync(WireFrame.SettingsAck());
        await server.FenceAsync();
        int size = stream.Stream.ReceiveWindow.SizeBytes;
        Assert.InRange(size, 20_001, 200_000);
        Assert.InRange(20_000 + given - sent, size - 10_000 + 1, size);
    }

    static async Task AssertWholeAsync(EngineUnderTest engine, FarPeer peer, int id, int streamBytes, int connectionBytes)
    {
        await peer.SeeAsync();
        Assert.InRange(peer.StreamBytes(id), streamBytes - (engine.Options.StreamWindowBytes / 2) + 1, streamBytes);
        Assert.InRange(peer.ConnectionBytes, connectionBytes - (engine.Options.ConnectionWindowBytes / 2) + 1, connectionBytes);
    }

    static Http2Options Small() => new()
    {
        StreamWindowBytes = StreamWindow,
        MaxStreamWindowBytes = MostOfStream,
        ConnectionWindowBytes = ConnectionWindow,
        MaxConnectionWindowBytes = MostOfConnection,
    };

    // Bounds that are never reached, so that measuring never stops.
    static Http2Options Ample() => new() { StreamWindowBytes = StreamWindow, MaxStreamWindowBytes = 1 << 30, MaxConnectionWindowBytes = 1 << 30 };
}
