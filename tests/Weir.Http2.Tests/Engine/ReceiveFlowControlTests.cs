using FsCheck;
using FsCheck.Fluent;
using Weir.Http2.Tests.Wire;

namespace Weir.Http2.Tests.Engine;

/// <summary>The windows that the engine gives: none is lost, none is given twice.</summary>
public sealed class ReceiveFlowControlTests
{
    const int ConnectionWindow = 65_535;

    [Fact]
    public async Task Window_comes_back_in_batches_of_half_when_the_reader_has_consumed()
    {
        await using var server = await ServerUnderTest.StartAsync(Small());
        TestStream stream = await server.OpenAsync(1);
        await server.Peer.SendAsync(WireFrame.Data(1, new byte[8_000]));
        Assert.Empty(await server.FenceAsync());
        await stream.ReadAsync(3_999);
        Assert.Empty(await server.FenceAsync());
        await stream.ReadAsync(1_001);
        WireFrame update = Assert.Single(await server.FenceAsync());
        Assert.Equal((WireFrameType.WindowUpdate, 1, 5_000), (update.Type, update.StreamId, update.Increment));
    }

    [Fact]
    public async Task Data_beyond_the_connections_window_ends_the_connection_with_FlowControlError()
    {
        await using var server = await ServerUnderTest.StartAsync(new Http2Options { ConnectionWindowBytes = ConnectionWindow });
        await server.OpenAsync(1);
        await server.OpenAsync(3);
        for (int i = 0; i < 4; i++)
            await server.Peer.SendAsync(WireFrame.Data(i < 2 ? 1 : 3, new byte[16_000]));
        await server.Peer.SendAsync(WireFrame.Data(1, new byte[1_536]));
        await server.ExpectConnectionErrorAsync(Http2ErrorCode.FlowControlError, 3, "window");
    }

    [Fact]
    public async Task Wait_for_more_than_the_windows_is_met_because_octets_that_are_waited_for_are_given_back_as_they_come()
    {
        await using var server = await ServerUnderTest.StartAsync(Small());
        TestStream stream = await server.OpenAsync(1);
        await server.Peer.SendAsync(WireFrame.Data(1, new byte[4_000]));
        await stream.ReadAsync(4_000);
        Assert.Empty(await server.FenceAsync());
        Assert.True(stream.Stream.WaitForData(100_000));
        for (int sent = 0; sent < 100_000; sent += 5_000)
        {
            await server.Peer.SendAsync(WireFrame.Data(1, new byte[5_000]));
            Assert.Contains(await server.FenceAsync(), frame => frame.Type == WireFrameType.WindowUpdate && frame.StreamId == 1);
        }

        await stream.ReadAsync(100_000);
        int[] increments = [.. (await server.FenceAsync()).Where(frame => frame.StreamId == 1).Select(frame => frame.Increment)];
        Assert.Empty(increments); // consumed, they are not given back a second time
    }

    [Fact]
    public async Task Wait_for_few_octets_gives_nothing_back_before_they_are_consumed()
    {
        await using var server = await ServerUnderTest.StartAsync(Small());
        TestStream stream = await server.OpenAsync(1);
        Assert.True(stream.Stream.WaitForData(1_000));
        await server.Peer.SendAsync(WireFrame.Data(1, new byte[6_000]));
        Assert.Empty(await server.FenceAsync());
        await stream.ReadAsync(6_000);
        Assert.Equal(6_000, Assert.Single(await server.FenceAsync()).Increment);
    }

    [Fact]
    public async Task Closed_input_gives_both_windows_back_so_that_the_peer_can_finish()
    {
        await using var server = await ServerUnderTest.StartAsync(Small());
        TestStream stream = await server.OpenAsync(1);
        await server.Peer.SendAsync(WireFrame.Data(1, new byte[10_000]));
        await server.FenceAsync();
        stream.Stream.CloseInput();
        Assert.Equal((1, 10_000), Assert.Single((await server.FenceAsync()).Select(f => (f.StreamId, f.Increment))));
        await server.Peer.SendAsync(WireFrame.Data(1, new byte[10_000], endStream: true));
        await server.FenceAsync();
        stream.Answer();
        await server.FenceAsync();
        Assert.Equal((0, 0), (server.Connection.ActiveStreams, stream.Aborts));
    }

    [Fact]
    public async Task Peer_that_has_not_acknowledged_Settings_may_fill_the_initial_window_of_the_protocol()
    {
        await using var server = new ServerUnderTest(new Http2Options { StreamWindowBytes = 1_000 });
        _ = server.Run();
        await server.Peer.SendPrefaceAsync();
        TestStream stream = await server.OpenAsync(1);
        for (int i = 0; i < 4; i++)
            await server.Peer.SendAsync(WireFrame.Data(1, new byte[16_000]));
        await server.Peer.SendAsync(WireFrame.SettingsAck());
        await stream.ReadAsync(64_000);
        int given = (await server.FenceAsync(settingsBefore: 1)).Where(f => f.Type == WireFrameType.WindowUpdate && f.StreamId == 1).Sum(f => f.Increment);
        // 65,535 - 64,000 - 64,535 + given is what the peer may send: the window of 1,000 again.
        Assert.Equal(64_000, given);
        await server.Peer.SendAsync(WireFrame.Data(1, new byte[1_000]));
        Assert.Empty(await server.FenceAsync());
        await server.Peer.SendAsync(WireFrame.Data(1, new byte[1]));
        await server.ExpectResetAsync(1, Http2ErrorCode.FlowControlError);
    }

    /// <summary>Streams get data, padding, cancels from both sides, are read, closed or left: in the end the peer's ledger of the connection's
    /// window is whole again, but for less than the batch that the engine holds back.</summary>
    [Fact]
    public async Task Connections_window_is_conserved_whatever_happens_to_the_streams()
    {
        foreach ((int Kind, int Bytes)[] script in Scripts(3_000, 40).Sample(60, 25))
            Assert.Equal(ConnectionWindow, await RunScriptAsync(script, Small()));
    }

    [Fact]
    public async Task Connections_window_is_conserved_while_windows_grow()
    {
        int most = 0;
        foreach ((int Kind, int Bytes)[] script in Scripts(19_000, 100).Sample(60, 15))
        {
            int size = await RunScriptAsync(script, new Http2Options
            {
                ConnectionWindowBytes = 2 * ConnectionWindow,
                MaxConnectionWindowBytes = 4 * ConnectionWindow,
                StreamWindowBytes = 40_000,
                MaxStreamWindowBytes = 200_000,
            });
            Assert.InRange(size, 2 * ConnectionWindow, 4 * ConnectionWindow);
            most = Math.Max(most, size);
        }

        Assert.NotEqual(2 * ConnectionWindow, most); // there were scripts that made it grow
    }

    /// <summary>Against a ledger of its own: announced, unread and not yet given back are the size, whatever comes, is read and grows.</summary>
    [Fact]
    public void Window_is_its_announced_unread_and_withheld_octets_at_any_time()
    {
        Gen<(int Kind, int Bytes)> step = Gen.Choose(0, 5).SelectMany(kind => Gen.Choose(0, 4_000).Select(bytes => (kind, bytes)));
        Prop.ForAll(step.ArrayOf(80).ToArbitrary(), script =>
        {
            var window = new ReceiveWindow(10_000);
            (int size, int announced, int unread, int withheld) = (10_000, 10_000, 0, 0);
            foreach ((int kind, int bytes) in script)
            {
                if (kind < 3)
                {
                    Assert.Equal(bytes <= announced, window.TryReceive(bytes));
                    int taken = bytes <= announced ? bytes : 0;
                    announced -= taken;
                    unread += taken;
                }
                else if (kind < 5)
                {
                    int read = Math.Min(bytes, unread);
                    unread -= read;
                    withheld += read;
                    int increment = window.Consume(read);
                    Assert.True(increment == 0 || increment == withheld, $"{increment} of {withheld} were given back");
                    announced += increment;
                    withheld -= increment;
                    Assert.InRange(withheld, 0, Math.Max(5_000, size / 16) - 1);
                }
                else
                {
                    announced += window.Grow(bytes);
                    size += bytes;
                }

                Assert.Equal((size, unread), (window.SizeBytes, window.UnreadBytes));
                Assert.Equal(size, announced + unread + withheld);
            }
        }).QuickCheckThrowOnFailure();
    }

    static Gen<(int Kind, int Bytes)[]> Scripts(int mostBytes, int steps) =>
        Gen.Choose(0, 9).SelectMany(kind => Gen.Choose(0, mostBytes).Select(bytes => (kind, bytes))).ArrayOf(steps);

    // Returns the size of the connection's window in the end.
    static async Task<int> RunScriptAsync((int Kind, int Bytes)[] script, Http2Options options)
    {
        await using var server = await ServerUnderTest.StartAsync(options);
        int nextId = 1;
        long sent = 0;
        var given = 0L;
        var fences = 0;
        var pings = new List<WireFrame>();
        var open = new Queue<TestStream>();
        async Task FenceAsync()
        {
            List<WireFrame> frames = await server.FenceAsync();
            given += frames.Where(f => f.Type == WireFrameType.WindowUpdate && f.StreamId == 0).Sum(f => f.Increment);
            pings.AddRange(frames.Where(f => f.Type == WireFrameType.Ping));
            server.Time.Advance(TimeSpan.FromMilliseconds(20));
            if (++fences % 10 == 0)
            {
                await server.Peer.SendAsync([.. pings.Select(f => f with { Flags = WireFrame.AckFlag })]); // a round trip of many steps
                pings.Clear();
            }
        }

        foreach ((int kind, int bytes) in script)
        {
            if (kind == 0 || open.Count == 0)
            {
                open.Enqueue(await server.OpenAsync(nextId));
                nextId += 2;
            }

            TestStream stream = open.Dequeue();
            int id = stream.Stream.Id;
            byte? padding = kind % 2 == 0 ? (byte)(bytes % 200) : null;
            bool last = kind is 6;
            await server.Peer.SendAsync(WireFrame.Data(id, new byte[bytes], last, padding));
            sent += bytes + (padding is { } p ? p + 1 : 0);
            switch (kind)
            {
                case 1 or 2:
                    await server.Peer.SendAsync(WireFrame.RstStream(id, Http2ErrorCode.Cancel));
                    break;
                case 3:
                    stream.Stream.Reset(Http2ErrorCode.Cancel, "enough"); // races with the data under way
                    break;
                case 4:
                    stream.Stream.CloseInput();
                    await FenceAsync();
                    stream.Stream.Reset(Http2ErrorCode.NoError, "done");
                    break;
                case 5:
                    await server.Peer.SendAsync(WireFrame.WindowUpdate(id, 0)); // provokes a reset
                    break;
                case 6:
                    await FenceAsync(); // ended, unread
                    stream.Answer();
                    stream.Stream.CloseInput();
                    break;
                default:
                    await stream.ReadAsync(bytes);
                    open.Enqueue(stream);
                    break;
            }

            await FenceAsync();
        }

        foreach (TestStream stream in open)
            stream.Stream.Reset(Http2ErrorCode.Cancel, "the end");
        await FenceAsync();
        int size = server.Connection.Credit.ConnectionSizeBytes;
        Assert.InRange(options.ConnectionWindowBytes + given - sent, size - (options.ConnectionWindowBytes / 2) + 1, size);
        Assert.Equal(0, server.Connection.ActiveStreams);
        return size;
    }

    static Http2Options Small() => new() { ConnectionWindowBytes = ConnectionWindow, StreamWindowBytes = 10_000 };
}
