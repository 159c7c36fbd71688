using System.IO.Pipelines;
using Weir.Http2.Tests.Wire;
using static Weir.Http2.Http2ErrorCode;

namespace Weir.Http2.Tests.Engine;

/// <summary>Every limit of Http2Options, tripped.</summary>
public sealed class LimitTests
{
    static readonly byte[] Block = WireHeaders.Encode(ServerUnderTest.Get);

    [Fact]
    public async Task Stream_above_MaxConcurrentStreams_is_refused_and_a_freed_slot_is_used()
    {
        await using var server = await ServerUnderTest.StartAsync(new Http2Options { MaxConcurrentStreams = 2 });
        TestStream first = await server.OpenAsync(1, endStream: true);
        await server.OpenAsync(3);
        await server.Peer.SendAsync(WireFrame.Headers(5, Block, true));
        await server.ExpectResetAsync(5, RefusedStream);
        Assert.Equal(2, server.Streams.Count);
        first.Answer();
        await server.Peer.ReadHeadersAsync();
        await server.CheckNextStreamAsync(7);
    }

    [Fact]
    public async Task Header_list_above_MaxHeaderListBytes_resets_the_stream_with_EnhanceYourCalm()
    {
        await using var server = await ServerUnderTest.StartAsync(new Http2Options { MaxHeaderListBytes = 1_024 });
        await server.Peer.SendAsync(WireFrame.Headers(1, true, [.. ServerUnderTest.Get, ("x", new string('v', 900))]));
        await server.ExpectResetAsync(1, EnhanceYourCalm);
        TestStream second = await server.OpenAsync(3);
        await server.Peer.SendAsync(WireFrame.Headers(3, true, ("x", new string('v', 1_100))));
        await server.ExpectResetAsync(3, EnhanceYourCalm);
        Assert.Contains("1024", (await second.AbortAsync()).Message, StringComparison.Ordinal);
        await server.CheckNextStreamAsync(5);
    }

    [Fact]
    public async Task Block_in_more_than_MaxContinuationFrames_ends_the_connection()
    {
        await using var server = await ServerUnderTest.StartAsync(new Http2Options { MaxContinuationFrames = 2 });
        await server.Peer.SendAsync(
            WireFrame.Headers(1, Block, true, endHeaders: false), WireFrame.Continuation(1, [], false), WireFrame.Continuation(1, [], true));
        Assert.Equal(1, (await server.RequestAsync()).Stream.Id);
        await server.Peer.SendAsync(WireFrame.Headers(3, Block, true, endHeaders: false));
        for (int i = 0; i < 3; i++)
            await server.Peer.SendAsync(WireFrame.Continuation(3, [], i == 2));
        await server.ExpectConnectionErrorAsync(EnhanceYourCalm, 1, "CONTINUATION");
    }

    [Fact]
    public async Task Block_that_is_too_large_before_decoding_ends_the_connection()
    {
        await using var server = await ServerUnderTest.StartAsync(new Http2Options { MaxHeaderListBytes = 1_024 });
        await server.Peer.SendAsync(WireFrame.Headers(1, new byte[9_000], true, endHeaders: false), WireFrame.Continuation(1, new byte[9_000], true));
        await server.ExpectConnectionErrorAsync(EnhanceYourCalm, reason: $"{1_024 + 16_384} octets");
    }

    [Fact]
    public async Task Answers_that_wait_for_a_peer_that_does_not_read_are_limited()
    {
        var narrow = new PipeOptions(pauseWriterThreshold: 1, resumeWriterThreshold: 1, useSynchronizationContext: false);
        await using var server = await ServerUnderTest.StartAsync(new Http2Options { MaxQueuedControlFrames = 10, MinPingInterval = TimeSpan.Zero }, pipes: narrow);
        await server.Peer.SendAsync([.. Enumerable.Range(0, 30).Select(i => WireFrame.Ping((ulong)i))]);
        await server.ExpectConnectionErrorAsync(EnhanceYourCalm, reason: "10 answers");
    }

    public static TheoryData<string> Floods => ["resets", "provoked resets", "pings", "settings", "empty data", "padding alone", "priority", "unknown", "closed streams", "acks", "pongs"];

    [Theory, MemberData(nameof(Floods))]
    public async Task Flood_ends_the_connection_with_EnhanceYourCalm_and_the_budget_fills_up_with_time(string what)
    {
        await using var server = await ServerUnderTest.StartAsync(new Http2Options
        {
            MaxResetsPerSecond = 10,
            MaxPingsPerSecond = 10,
            MinPingInterval = TimeSpan.Zero,
            MaxSettingsPerSecond = 10,
            MaxEmptyFramesPerSecond = 10,
            MaxConcurrentStreams = 1_000,
        });
        await server.OpenAsync(1);
        (await server.OpenAsync(3)).Stream.Reset(Cancel, "closed");
        int next = 5;
        WireFrame[] Once() => what switch
        {
            "resets" => [WireFrame.Headers(next, Block, true), WireFrame.RstStream((next += 2) - 2, Cancel)],
            "provoked resets" => [WireFrame.Headers(next, Block, true), WireFrame.WindowUpdate((next += 2) - 2, 0)],
            "pings" => [WireFrame.Ping(1)],
            "settings" => [WireFrame.Settings()],
            "empty data" => [WireFrame.Data(1, [])],
            "padding alone" => [WireFrame.Data(1, [], padding: 20)],
            "priority" => [WireFrame.Priority(1, 0)],
            "unknown" => [new((WireFrameType)0xee, 0, 0, [])],
            "closed streams" => [WireFrame.Data(3, [1])],
            "acks" => [WireFrame.SettingsAck()],
            _ => [WireFrame.Ping(1, ack: true)],
        };

        for (int i = 0; i < 10; i++)
            await server.Peer.SendAsync(Once());
        await server.FenceAsync(what == "settings" ? 10 : 0);
        server.Time.Advance(TimeSpan.FromSeconds(2));
        for (int i = 0; i < 10; i++)
            await server.Peer.SendAsync(Once());
        await server.FenceAsync(what == "settings" ? 10 : 0);
        for (int i = 0; i < 16; i++)
            await server.Peer.SendAsync(Once());
        WireFrame goAway = await server.SkipDataToAsync(WireFrameType.GoAway);
        Assert.Equal(EnhanceYourCalm, goAway.ErrorCode);
        Assert.Contains("more than 10 ", server.Connection.CloseReason!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Peer_without_preface_or_without_Settings_acknowledgement_is_closed_at_HandshakeTimeout()
    {
        foreach (bool sendsPreface in new[] { false, true })
        {
            await using var server = new ServerUnderTest(new Http2Options { HandshakeTimeout = TimeSpan.FromSeconds(3) });
            _ = server.Run();
            await server.Peer.ReadFrameAsync(WireFrameType.Settings);
            if (sendsPreface)
            {
                await server.Peer.SendPrefaceAsync();
                await server.OpenAsync(1);
            }

            server.Time.Advance(TimeSpan.FromSeconds(2.9));
            Assert.Null(server.Connection.CloseReason);
            server.Time.Advance(TimeSpan.FromSeconds(0.1));
            WireFrame goAway = await server.Peer.SkipToAsync(WireFrameType.GoAway);
            Assert.Equal(SettingsTimeout, goAway.ErrorCode);
            Assert.Contains(sendsPreface ? "acknowledge SETTINGS within 3 s" : "send SETTINGS within 3 s", server.Connection.CloseReason!, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData(2)] // shorter than the handshake's
    [InlineData(60)]
    public async Task Connection_without_streams_is_closed_at_IdleTimeout(int seconds)
    {
        TimeSpan idle = TimeSpan.FromSeconds(seconds);
        await using var server = await ServerUnderTest.StartAsync(new Http2Options { IdleTimeout = idle });
        TestStream stream = await server.OpenAsync(1, endStream: true);
        for (int i = 0; i < 3; i++)
            server.Time.Advance(idle);
        Assert.Null(server.Connection.CloseReason);
        stream.Answer();
        Assert.True((await server.Peer.ReadHeadersAsync()).IsEndStream);
        for (int i = 0; i < 9; i++)
            server.Time.Advance(idle / 10);
        Assert.Null(server.Connection.CloseReason);
        server.Time.Advance(idle / 10);
        await server.ExpectConnectionErrorAsync(NoError, 1, "IdleTimeout");
    }

    [Fact]
    public async Task Connection_is_never_closed_for_idleness_without_IdleTimeout()
    {
        await using var server = await ServerUnderTest.StartAsync(new Http2Options { IdleTimeout = Timeout.InfiniteTimeSpan });
        server.Time.Advance(TimeSpan.FromDays(30));
        await server.CheckNextStreamAsync(1);
    }

    [Fact]
    public void Options_out_of_range_are_refused_with_both_numbers()
    {
        var options = new Http2Options();
        Check(() => options.MaxConcurrentStreams = 0, "MaxConcurrentStreams is 0; it may be 1 to 2147483647");
        Check(() => options.MaxHeaderListBytes = 1_023, "1024 to 16777216");
        Check(() => options.HeaderTableBytes = 65_537, "0 to 65536");
        Check(() => options.MaxContinuationFrames = -1, "0 to 1000");
        Check(() => options.MaxFrameBytes = 16_383, "16384 to 16777215");
        Check(() => options.StreamWindowBytes = 0, "1 to 2147483647");
        Check(() => options.ConnectionWindowBytes = 65_534, "65535 to 2147483647");
        Check(() => options.MaxStreamWindowBytes = 0, "1 to 2147483647");
        Check(() => options.MaxConnectionWindowBytes = 65_534, "65535 to 2147483647");
        Check(() => options.OutputHighWaterBytes = 16_383, "16384 to 16777216");
        Check(() => options.MaxWaitingSenders = 0, "1 to 1000000");
        Check(() => options.MaxQueuedControlFrames = 9, "10 to 1000000");
        Check(() => options.MaxResetsPerSecond = 0, "1 to 1000000");
        Check(() => options.MaxPingsPerSecond = 0, "1 to 1000000");
        Check(() => options.MaxSettingsPerSecond = 0, "1 to 1000000");
        Check(() => options.MaxEmptyFramesPerSecond = 1_000_001, "1 to 1000000");
        Check(() => options.HandshakeTimeout = TimeSpan.FromMilliseconds(99), "00:00:00.1000000 to 00:10:00");
        Check(() => options.IdleTimeout = TimeSpan.Zero, "00:00:01 to");
        Check(() => options.CloseTimeout = TimeSpan.FromSeconds(61), "00:00:00 to 00:01:00");
        Check(() => options.KeepAliveTime = TimeSpan.FromMilliseconds(999), "00:00:01 to");
        Check(() => options.KeepAliveTimeout = TimeSpan.Zero, "00:00:01 to");
        Check(() => options.MinPingInterval = TimeSpan.FromSeconds(-1), "00:00:00 to");
        Check(() => options.MaxPingStrikes = -1, "0 to 1000");
        Check(() => options.MaxConnectionAge = TimeSpan.Zero, "00:00:01 to");
        Check(() => options.MaxConnectionAgeGrace = TimeSpan.FromDays(25), "00:00:00 to");
        options.IdleTimeout = options.MaxConnectionAge = options.MaxConnectionAgeGrace = Timeout.InfiniteTimeSpan;
        options.KeepAliveTime = Timeout.InfiniteTimeSpan;
        options.KeepAliveTime = null;
    }

    static void Check(Action set, string message) =>
        Assert.Contains(message, Assert.Throws<ArgumentOutOfRangeException>(set).Message, StringComparison.Ordinal);
}
