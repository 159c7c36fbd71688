using System.Diagnostics;
using System.IO.Pipelines;
using Weir.Http2.Tests.Wire;
using static Weir.Http2.Http2ErrorCode;

namespace Weir.Http2.Tests.Engine;

/// <summary>How a connection ends: drained, left, lost, closed.</summary>
public sealed class LifecycleTests
{
    [Fact]
    public async Task Server_drains_with_two_GoAways_and_ends_after_its_last_stream()
    {
        await using var server = await ServerUnderTest.StartAsync();
        TestStream first = await server.OpenAsync(1);
        server.Connection.BeginDrain();
        server.Connection.BeginDrain();
        WireFrame warning = await server.Peer.ReadFrameAsync(WireFrameType.GoAway);
        Assert.Equal((int.MaxValue, NoError), (warning.LastStreamId, warning.ErrorCode));
        WireFrame ping = await server.Peer.ReadFrameAsync(WireFrameType.Ping);
        TestStream underWay = await server.OpenAsync(3, endStream: true); // sent before the peer saw the warning
        await server.Peer.SendAsync(ping with { Flags = WireFrame.AckFlag });
        WireFrame final = await server.Peer.ReadFrameAsync(WireFrameType.GoAway);
        Assert.Equal((3, NoError), (final.LastStreamId, final.ErrorCode));

        // A stream above it is ignored with all that comes on it.
        await server.Peer.SendAsync(WireFrame.Headers(5, false, ServerUnderTest.Post), WireFrame.Data(5, [1], endStream: true));
        Assert.Empty(await server.FenceAsync());
        Assert.Equal(2, server.Streams.Count);

        underWay.Answer();
        await server.Peer.SendAsync(WireFrame.Data(1, "last"u8.ToArray(), endStream: true));
        Assert.Equal("last"u8.ToArray(), await first.ReadToEndAsync());
        Assert.Null(server.Connection.CloseReason);
        first.Answer();
        Assert.Equal(3, (await server.Peer.ReadHeadersAsync()).StreamId);
        Assert.Equal(1, (await server.Peer.ReadHeadersAsync()).StreamId);
        await server.ExpectConnectionErrorAsync(NoError, 3, "Drained");
        Assert.Equal((0, 0), (first.Aborts, underWay.Aborts));
    }

    [Fact]
    public async Task Client_drains_with_one_GoAway_and_ends_after_its_last_stream()
    {
        await using var client = await ClientUnderTest.StartAsync();
        TestStream stream = await client.OpenAsync(endStream: true);
        client.Connection.BeginDrain();
        WireFrame goAway = await client.Peer.ReadFrameAsync(WireFrameType.GoAway);
        Assert.Equal((0, NoError), (goAway.LastStreamId, goAway.ErrorCode));
        Assert.Null(client.TryOpen());
        await client.Peer.SendAsync(WireFrame.Headers(1, true, (":status", "200")));
        Assert.True((await stream.HeadersAsync()).EndStream);
        await client.ExpectConnectionErrorAsync(NoError, 0, "Drained");
        Assert.Equal(0, stream.Aborts);
    }

    [Fact]
    public async Task GoAway_tells_the_streams_above_it_that_they_are_unprocessed_and_the_others_go_on()
    {
        await using var client = await ClientUnderTest.StartAsync();
        TestStream first = await client.OpenAsync(endStream: true);
        TestStream second = await client.OpenAsync();
        await client.Peer.SendAsync(WireFrame.GoAway(1, NoError, [.. "bye"u8]));
        Http2StreamAbort abort = await second.AbortAsync();
        Assert.Equal((Http2AbortOrigin.PeerGoAway, NoError, true), (abort.Origin, abort.ErrorCode, abort.IsUnprocessed));
        Assert.Contains("bye", abort.Message, StringComparison.Ordinal);
        Assert.Null(client.TryOpen());
        await client.Peer.SendAsync(WireFrame.Headers(1, true, (":status", "200")));
        Assert.True((await first.HeadersAsync()).EndStream);
        await client.ExpectConnectionErrorAsync(NoError);
        Assert.Equal((0, 1), (first.Aborts, second.Aborts));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Lost_connection_tells_every_stream_once(bool reset)
    {
        await using var client = await ClientUnderTest.StartAsync(settings: [(4, 0)]);
        List<TestStream> streams = [await client.OpenAsync(), await client.OpenAsync(), await client.OpenAsync(endStream: true)];
        Task send = streams[0].SendAsync([1]);
        Task ping = client.Connection.PingAsync(TestContext.Current.CancellationToken);
        if (reset)
            await client.Peer.CompleteOutputAsync(new IOException("reset by peer"));
        await client.PeerLeavesAsync();
        foreach (TestStream stream in streams)
            Assert.Equal(Http2AbortOrigin.ConnectionLost, (await stream.AbortAsync()).Origin);
        Assert.Equal([1, 1, 1], streams.Select(stream => stream.Aborts));
        await Assert.ThrowsAsync<Http2StreamException>(() => send.Within("the send"));
        await Assert.ThrowsAsync<IOException>(() => ping.Within("the PING"));
        await Assert.ThrowsAsync<IOException>(() => client.Connection.PingAsync(TestContext.Current.CancellationToken));
        Assert.Contains(reset ? "reset by peer" : "closed", client.Connection.CloseReason!, StringComparison.Ordinal);
        streams[1].Stream.Reset(Cancel, "late"); // no effect
        streams[1].Stream.CloseInput();
    }

    [Fact]
    public async Task Peer_that_stops_reading_is_lost_at_the_next_write()
    {
        await using var server = await ServerUnderTest.StartAsync();
        TestStream stream = await server.OpenAsync(1);
        await server.Peer.CompleteInputAsync();
        stream.Answer();
        Assert.Equal(Http2AbortOrigin.ConnectionLost, (await stream.AbortAsync()).Origin);
    }

    [Fact]
    public async Task Close_with_a_peer_that_neither_reads_nor_leaves_ends_at_CloseTimeout()
    {
        var narrow = new PipeOptions(pauseWriterThreshold: 1, resumeWriterThreshold: 1, useSynchronizationContext: false);
        await using var client = await ClientUnderTest.StartAsync(new Http2Options { CloseTimeout = TimeSpan.FromSeconds(7) }, pipes: narrow);
        TestStream stream = client.TryOpen()!;
        await stream.SendAsync(new byte[1_000]);
        client.Connection.Close(InternalError, "enough");
        Assert.Equal((Http2AbortOrigin.Local, InternalError), ((await stream.AbortAsync()).Origin, stream.Stream.Abort!.ErrorCode));
        Task run = client.Connection.RunAsync();
        Assert.Same(run, client.Connection.RunAsync());
        Assert.False(run.IsCompleted);

        // The timer may start after the loops have seen the end, so time goes on until it is due.
        for (long start = Stopwatch.GetTimestamp(); !run.IsCompleted && Stopwatch.GetElapsedTime(start) < WirePeer.Patience;)
        {
            client.Time.Advance(TimeSpan.FromSeconds(1));
            await Task.WhenAny(run, Task.Delay(5, TestContext.Current.CancellationToken));
        }

        await run.Within("the end of the connection");
    }

    [Fact]
    public async Task Dispose_twice_and_before_the_start_is_fine()
    {
        var client = await ClientUnderTest.StartAsync();
        TestStream stream = await client.OpenAsync();
        Task first = client.Connection.DisposeAsync().AsTask();
        Task second = client.Connection.DisposeAsync().AsTask();
        await client.ExpectConnectionErrorAsync(NoError, 0, "disposed");
        await client.Peer.CompleteOutputAsync();
        await Task.WhenAll(first, second).Within("both disposals");
        Assert.Equal(Http2AbortOrigin.Local, (await stream.AbortAsync()).Origin);
        await client.DisposeAsync();

        await using var never = new ClientUnderTest();
        Task disposal = never.Connection.DisposeAsync().AsTask();
        await never.Peer.ReadPrefaceAsync();
        await never.ExpectConnectionErrorAsync(NoError);
        await never.Peer.CompleteOutputAsync();
        await disposal.Within("the disposal");
    }

    [Fact]
    public async Task Listener_that_disposes_the_connection_ends_it()
    {
        await using var server = await ServerUnderTest.StartAsync();
        Task disposal = Task.CompletedTask;
        server.OnRequest = _ => disposal = server.Connection.DisposeAsync().AsTask();
        await server.Peer.SendAsync(WireFrame.Headers(1, false, ServerUnderTest.Post));
        TestStream stream = await server.RequestAsync();
        await server.ExpectConnectionErrorAsync(NoError, 1);
        await server.PeerLeavesAsync();
        await disposal.Within("the disposal");
        Assert.Equal(1, stream.Aborts);
    }

    [Fact]
    public async Task Freed_slot_is_told_after_a_stream_was_refused_for_the_peers_limit()
    {
        await using var client = await ClientUnderTest.StartAsync(settings: [(3, 1)]);
        Assert.Equal(1, client.Connection.PeerMaxConcurrentStreams);
        var freed = new Signal();
        client.Connection.StreamSlotFreed += freed.Set;
        TestStream first = await client.OpenAsync(endStream: true);
        Assert.Null(client.TryOpen());
        await client.Peer.SendAsync(WireFrame.Headers(1, true, (":status", "200")));
        await freed.WaitAsync();
        TestStream second = await client.OpenAsync();
        Assert.Null(client.TryOpen());
        await client.Peer.SendAsync(WireFrame.Settings((3, 2)));
        await freed.WaitAsync();
        Assert.NotNull(client.TryOpen());
        Assert.Equal((0, 0), (first.Aborts, second.Aborts));
    }

    [Fact]
    public async Task Ping_measures_the_round_trip_and_too_many_are_refused()
    {
        await using var client = await ClientUnderTest.StartAsync();
        Task<TimeSpan> ping = client.Connection.PingAsync(TestContext.Current.CancellationToken);
        WireFrame frame = await client.Peer.ReadFrameAsync(WireFrameType.Ping);
        client.Time.Advance(TimeSpan.FromMilliseconds(30));
        await client.Peer.SendAsync(frame with { Flags = WireFrame.AckFlag });
        Assert.Equal(TimeSpan.FromMilliseconds(30), await ping.Within("the answer"));
        using var stop = new CancellationTokenSource();
        Task[] pings = [.. Enumerable.Range(0, 100).Select(_ => client.Connection.PingAsync(stop.Token))];
        var error = await Assert.ThrowsAsync<InvalidOperationException>(() => client.Connection.PingAsync(stop.Token));
        Assert.Contains("100", error.Message, StringComparison.Ordinal);
        await stop.CancelAsync();
        foreach (Task waiting in pings)
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting.Within("a cancelled PING"));
        await client.FenceAsync();
    }

    /// <summary>Counts signals; each wait takes one.</summary>
    sealed class Signal
    {
        readonly System.Threading.Channels.Channel<bool> _signals = System.Threading.Channels.Channel.CreateUnbounded<bool>();

        public void Set() => _signals.Writer.TryWrite(true);

        public Task<bool> WaitAsync() => _signals.Reader.ReadAsync().AsTask().Within("StreamSlotFreed");
    }
}
