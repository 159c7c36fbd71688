using System.Net.Sockets;
using Weir.Http2.Tests.Wire;
using Weir.Http2.Transport;
using static Weir.Http2.Http2ErrorCode;

namespace Weir.Http2.Tests.Engine;

/// <summary>Keepalive on both sides (gRFC A8, A9, A18) and the age of a server's connections.</summary>
public sealed class KeepAliveTests
{
    [Fact]
    public async Task Client_sends_Ping_when_nothing_comes_and_loses_a_server_that_is_silent()
    {
        await using var client = await ClientUnderTest.StartAsync(new Http2Options { KeepAliveTime = TimeSpan.FromSeconds(16) });
        TestStream stream = await client.OpenAsync();
        Pass(client, 15);
        Assert.Empty(await client.FenceAsync()); // the fence is something that comes
        Pass(client, 15);
        Assert.Empty(await client.FenceAsync());
        Pass(client, 18); // 16 s, and up to an eighth more
        WireFrame ping = await client.Peer.ReadFrameAsync(WireFrameType.Ping);
        await client.Peer.SendAsync(ping with { Flags = WireFrame.AckFlag });
        await client.FenceAsync();
        Pass(client, 20);
        await client.Peer.ReadFrameAsync(WireFrameType.Ping);
        Pass(client, 17);
        Assert.Equal(0, stream.Aborts);
        Pass(client, 3);
        Http2StreamAbort abort = await stream.AbortAsync();
        Assert.Equal(
            (Http2AbortOrigin.ConnectionLost, "The peer did not answer a keepalive PING within 20 s (KeepAliveTimeout)."), (abort.Origin, abort.Message));
        await client.ExpectConnectionErrorAsync(NoError);
    }

    [Fact]
    public async Task Anything_that_comes_is_an_answer()
    {
        await using var client = await ClientUnderTest.StartAsync(new Http2Options { KeepAliveTime = TimeSpan.FromSeconds(16) });
        TestStream stream = await client.OpenAsync();
        for (int i = 0; i < 5; i++)
        {
            Pass(client, 18);
            await client.Peer.ReadFrameAsync(WireFrameType.Ping);
            await client.FenceAsync();
            Pass(client, 2);
        }

        Assert.Equal(0, stream.Aborts);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Client_without_streams_sends_Ping_only_if_it_is_to(bool without)
    {
        await using var client = await ClientUnderTest.StartAsync(new Http2Options
        {
            KeepAliveTime = TimeSpan.FromSeconds(1), // 10 s is the least
            KeepAliveWithoutStreams = without,
        });
        Assert.Equal(TimeSpan.FromSeconds(10), client.Connection.KeepAliveTime);
        Pass(client, 9);
        Assert.Empty(await client.FenceAsync());
        Pass(client, 12);
        if (!without)
        {
            Assert.Empty(await client.FenceAsync());
            await client.OpenAsync();
            Pass(client, 12);
        }

        await client.Peer.ReadFrameAsync(WireFrameType.Ping);
    }

    [Fact]
    public async Task Server_sends_Ping_without_streams_after_two_hours()
    {
        await using var server = await ServerUnderTest.StartAsync(new Http2Options { IdleTimeout = Timeout.InfiniteTimeSpan });
        Assert.Equal(TimeSpan.FromHours(2), server.Connection.KeepAliveTime);
        for (int i = 0; i < 8; i++)
            server.Time.Advance(TimeSpan.FromMinutes(14.9));
        Assert.Empty(await server.FenceAsync());
        for (int i = 0; i < 10; i++)
            server.Time.Advance(TimeSpan.FromMinutes(15));
        await server.Peer.ReadFrameAsync(WireFrameType.Ping);
        Pass(server, 20);
        await server.ExpectConnectionErrorAsync(NoError, reason: "KeepAliveTimeout");
    }

    [Fact]
    public async Task Keepalive_is_off_on_a_client_by_default_and_on_a_server_that_says_so()
    {
        await using var client = await ClientUnderTest.StartAsync();
        Assert.Equal(Timeout.InfiniteTimeSpan, client.Connection.KeepAliveTime);
        await using var server = await ServerUnderTest.StartAsync(new Http2Options { KeepAliveTime = Timeout.InfiniteTimeSpan });
        Assert.Equal(Timeout.InfiniteTimeSpan, server.Connection.KeepAliveTime);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Server_ends_the_connection_of_a_client_whose_Pings_come_too_soon(bool open)
    {
        await using var server = await ServerUnderTest.StartAsync(new Http2Options { IdleTimeout = Timeout.InfiniteTimeSpan });
        if (open)
            await server.OpenAsync(1);

        // One to begin with, and two strikes.
        for (int i = 0; i < 3; i++)
        {
            await server.Peer.SendAsync(WireFrame.Ping(7));
            Assert.True((await server.Peer.ReadFrameAsync(WireFrameType.Ping)).IsAck);
            server.Time.Advance(TimeSpan.FromSeconds(299));
        }

        await server.Peer.SendAsync(WireFrame.Ping(7));
        await server.ExpectConnectionErrorAsync(EnhanceYourCalm, open ? 1 : 0, "too_many_pings");
        Assert.Equal("too_many_pings"u8.ToArray(), server.Peer.Seen[^1].Payload[8..]);
    }

    [Theory]
    [InlineData(true, false, 301)]
    [InlineData(false, true, 301)]
    [InlineData(false, false, 7201)]
    public async Task Server_takes_Pings_that_leave_the_interval(bool open, bool permit, int seconds)
    {
        await using var server = await ServerUnderTest.StartAsync(new Http2Options
        {
            PermitPingsWithoutStreams = permit,
            IdleTimeout = Timeout.InfiniteTimeSpan,
            KeepAliveTime = Timeout.InfiniteTimeSpan,
        });
        if (open)
            await server.OpenAsync(1);
        for (int i = 0; i < 10; i++)
        {
            await server.Peer.SendAsync(WireFrame.Ping(7));
            Assert.True((await server.Peer.ReadFrameAsync(WireFrameType.Ping)).IsAck);
            server.Time.Advance(TimeSpan.FromSeconds(seconds));
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Server_that_sends_on_a_stream_wipes_the_strikes_away(bool data)
    {
        await using var server = await ServerUnderTest.StartAsync();
        TestStream stream = await server.OpenAsync(1);
        stream.Answer(endStream: false);
        await server.Peer.ReadHeadersAsync();
        for (int i = 3; i < 30; i += 2)
        {
            if (data)
            {
                await stream.SendAsync("x");
                await server.Peer.SkipToAsync(WireFrameType.Data);
            }
            else
            {
                (await server.OpenAsync(i, endStream: true)).Answer();
                await server.Peer.SkipToHeadersAsync();
            }

            for (int n = 0; n < 3; n++)
            {
                await server.Peer.SendAsync(WireFrame.Ping(7));
                Assert.True((await server.Peer.SkipToAsync(WireFrameType.Ping)).IsAck);
            }
        }
    }

    [Fact]
    public async Task Client_that_sent_too_many_Pings_doubles_its_time_and_says_so()
    {
        await using var client = await ClientUnderTest.StartAsync(new Http2Options { KeepAliveTime = TimeSpan.FromSeconds(10) });
        TestStream processed = await client.OpenAsync();
        TestStream unprocessed = await client.OpenAsync();
        await client.Peer.SendAsync(WireFrame.GoAway(1, EnhanceYourCalm, [.. "too_many_pings"u8]));
        const string Expected = "The peer is going away: EnhanceYourCalm, too_many_pings. The keepalive time is 20 s from now on.";
        Assert.Equal(Expected, (await unprocessed.AbortAsync()).Message);
        Assert.Equal(TimeSpan.FromSeconds(20), client.Connection.KeepAliveTime);
        await client.PeerLeavesAsync();
        Assert.Equal((Http2AbortOrigin.ConnectionLost, Expected), ((await processed.AbortAsync()).Origin, processed.Stream.Abort!.Message));
    }

    [Fact]
    public async Task Doubling_ends_at_24_days()
    {
        await using var client = await ClientUnderTest.StartAsync(new Http2Options { KeepAliveTime = TimeSpan.FromSeconds(10) });
        await client.OpenAsync();
        await client.Peer.SendAsync([.. Enumerable.Repeat(WireFrame.GoAway(1, EnhanceYourCalm, [.. "too_many_pings"u8]), 100)]);
        await client.FenceAsync();
        Assert.Equal(TimeSpan.FromDays(24), client.Connection.KeepAliveTime);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Server_drains_a_connection_at_its_age_and_ends_it_after_the_grace(bool grace)
    {
        await using var server = await ServerUnderTest.StartAsync(new Http2Options
        {
            MaxConnectionAge = TimeSpan.FromSeconds(100),
            MaxConnectionAgeGrace = grace ? TimeSpan.FromSeconds(30) : Timeout.InfiniteTimeSpan,
        });
        TestStream stream = await server.OpenAsync(1);
        Pass(server, 89);
        Assert.Empty(await server.FenceAsync());
        Pass(server, 21);
        WireFrame warning = await server.Peer.ReadFrameAsync(WireFrameType.GoAway);
        Assert.Equal((int.MaxValue, NoError), (warning.LastStreamId, warning.ErrorCode));
        WireFrame ping = await server.Peer.ReadFrameAsync(WireFrameType.Ping);
        await server.Peer.SendAsync(ping with { Flags = WireFrame.AckFlag });
        Assert.Equal(1, (await server.Peer.ReadFrameAsync(WireFrameType.GoAway)).LastStreamId);
        Pass(server, 31);
        if (grace)
        {
            Assert.Contains("MaxConnectionAgeGrace", (await stream.AbortAsync()).Message, StringComparison.Ordinal);
            await server.ExpectConnectionErrorAsync(NoError, 1);
        }
        else
        {
            Assert.Equal(0, stream.Aborts);
            stream.Answer();
            await server.Peer.ReadHeadersAsync();
        }
    }

    [Fact]
    public void User_timeout_is_set_on_tcp_sockets_and_on_no_others()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "TCP_USER_TIMEOUT is Linux's.");
        using var tcp = new Socket(SocketType.Stream, ProtocolType.Tcp);
        Assert.Equal(TimeSpan.Zero, TcpUserTimeout.Get(tcp));
        TcpUserTimeout.Set(tcp, TimeSpan.FromSeconds(20));
        Assert.Equal(TimeSpan.FromSeconds(20), TcpUserTimeout.Get(tcp));
        using var unix = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        TcpUserTimeout.Set(unix, TimeSpan.FromSeconds(20));
        Assert.Equal(TimeSpan.Zero, TcpUserTimeout.Get(unix));
        Assert.Throws<ArgumentOutOfRangeException>(() => TcpUserTimeout.Set(tcp, TimeSpan.Zero));
        Assert.Throws<ArgumentOutOfRangeException>(() => TcpUserTimeout.Set(tcp, TimeSpan.FromDays(25)));
    }

    // In small steps: a timer that a callback sets again is due from the time that the step has reached.
    static void Pass(EngineUnderTest engine, double seconds)
    {
        for (int i = 0; i < seconds * 4; i++)
            engine.Time.Advance(TimeSpan.FromSeconds(0.25));
    }
}
