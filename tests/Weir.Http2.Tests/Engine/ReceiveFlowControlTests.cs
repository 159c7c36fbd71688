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
    /// window is whole again, but for less than the half that the engine holds back.</summary>
    [Fact]
    public async Task Connections_window_is_conserved_whatever_happens_to_the_streams()
    {
        Gen<(int Kind, int Bytes)> step = Gen.Choose(0, 9).SelectMany(kind => Gen.Choose(0, 3_000).Select(bytes => (kind, bytes)));
        foreach ((int Kind, int Bytes)[] script in step.ArrayOf(40).Sample(60, 25))
            await RunScriptAsync(script);
    }

    static async Task RunScriptAsync((int Kind, int Bytes)[] script)
    {
        await using var server = await ServerUnderTest.StartAsync(Small());
        int nextId = 1;
        long sent = 0;
        var given = 0L;
        var open = new Queue<TestStream>();
        async Task FenceAsync() => given += (await server.FenceAsync())
            .Where(f => f.Type == WireFrameType.WindowUpdate && f.StreamId == 0).Sum(f => f.Increment);

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
        Assert.InRange(sent - given, 0, (ConnectionWindow / 2) - 1);
        Assert.Equal(0, server.Connection.ActiveStreams);
    }

    static Http2Options Small() => new() { ConnectionWindowBytes = ConnectionWindow, StreamWindowBytes = 10_000 };
}
