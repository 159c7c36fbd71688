using FsCheck;
using FsCheck.Fluent;
using Weir.Http2;
using Weir.Rpc.Protocol;

namespace Weir.Rpc.Tests;

public sealed class CodecTests
{
    [Theory]
    [InlineData(0, "1n")]
    [InlineData(-5, "1n")]
    [InlineData(1, "100n")]
    [InlineData(999_999, "99999900n")]
    [InlineData(1_000_000, "100000u")]
    [InlineData(1_000_001, "100001u")]
    [InlineData(999_999_990, "99999999u")]
    [InlineData(999_999_991, "100000m")]
    [InlineData(999_999_990_000, "99999999m")]
    [InlineData(999_999_990_001, "100000S")]
    [InlineData(999_999_990_000_000, "99999999S")]
    [InlineData(999_999_990_000_001, "1666667M")]
    [InlineData(600_000_000L * 99_999_999, "99999999M")]
    [InlineData((600_000_000L * 99_999_999) + 1, "1666667H")]
    [InlineData(long.MaxValue, "99999999H")]
    public void A_timeout_has_at_most_eight_digits_and_rounds_up(long ticks, string expected) =>
        Assert.Equal(expected, GrpcTimeout.Encode(new TimeSpan(ticks)));

    [Fact]
    public void A_timeout_never_gets_shorter_and_hardly_longer_on_the_wire() => Prop.ForAll(
        ArbMap.Default.ArbFor<NonNegativeInt>(),
        ArbMap.Default.ArbFor<NonNegativeInt>(),
        (a, b) =>
        {
            var timeout = new TimeSpan((((long)a.Get << 31) | (uint)b.Get) % (99_999_999 * TimeSpan.TicksPerHour));
            Assert.True(GrpcTimeout.TryDecode(GrpcTimeout.Encode(timeout), out var decoded));
            Assert.InRange(decoded.Ticks, timeout.Ticks, (long)((timeout.Ticks * 1.00001) + 1));
        }).QuickCheckThrowOnFailure();

    [Theory]
    [InlineData("1n", 1)]
    [InlineData("101n", 2)]
    [InlineData("1u", 10)]
    [InlineData("1m", 10_000)]
    [InlineData("1S", 10_000_000)]
    [InlineData("1M", 600_000_000)]
    [InlineData("99999999H", 3_599_999_964_000_000_000)]
    public void Every_unit_decodes(string text, long ticks)
    {
        Assert.True(GrpcTimeout.TryDecode(text, out var timeout));
        Assert.Equal(ticks, timeout.Ticks);
    }

    [Theory]
    [InlineData("")]
    [InlineData("S")]
    [InlineData("1")]
    [InlineData("1x")]
    [InlineData("-1S")]
    [InlineData("+1S")]
    [InlineData(" 1S")]
    [InlineData("1.5S")]
    [InlineData("123456789S")]
    public void What_is_not_a_timeout_does_not_decode(string text) => Assert.False(GrpcTimeout.TryDecode(text, out _));

    [Fact]
    public void A_deadline_past_the_calendar_clamps() =>
        Assert.Equal(DateTimeOffset.MaxValue, GrpcTimeout.Add(DateTimeOffset.UtcNow, TimeSpan.MaxValue));

    [Theory]
    [InlineData("plain text", "plain text")]
    [InlineData("100%", "100%25")]
    [InlineData("a\nb", "a%0Ab")]
    [InlineData("äöü", "%C3%A4%C3%B6%C3%BC")]
    [InlineData("😀", "%F0%9F%98%80")]
    [InlineData(" a b ", "%20a b%20")]
    [InlineData(" ", "%20")]
    [InlineData("failed: ", "failed:%20")]
    public void A_message_is_percent_encoded_utf8(string text, string encoded)
    {
        Assert.Equal(encoded, PercentCoding.Encode(text));
        Assert.Equal(text, PercentCoding.Decode(encoded));
    }

    [Theory]
    [InlineData("%", "%")]
    [InlineData("%4", "%4")]
    [InlineData("%zz", "%zz")]
    [InlineData("50% off %41", "50% off A")]
    [InlineData("%c3%a4", "ä")]
    [InlineData("%FF", "\uFFFD")]
    public void Decoding_a_message_never_fails(string encoded, string text) => Assert.Equal(text, PercentCoding.Decode(encoded));

    [Fact]
    public void Every_message_round_trips() => Prop.ForAll(
        ArbMap.Default.ArbFor<NonNull<string>>(),
        text =>
        {
            var wellFormed = System.Text.Encoding.UTF8.GetString(System.Text.Encoding.UTF8.GetBytes(text.Get)); // lone surrogates become U+FFFD
            var encoded = PercentCoding.Encode(text.Get);
            Assert.All(encoded, c => Assert.InRange(c, ' ', '~'));
            Assert.Equal(wellFormed, PercentCoding.Decode(encoded));
        }).QuickCheckThrowOnFailure();

    [Theory]
    [InlineData("application/grpc", true)]
    [InlineData("application/grpc+proto", true)]
    [InlineData("application/grpc;charset=utf-8", true)]
    [InlineData("Application/gRPC", true)]
    [InlineData("application/grpc-web", false)]
    [InlineData("application/grpcx", false)]
    [InlineData("application/json", false)]
    [InlineData("", false)]
    public void Content_types_are_told_apart(string contentType, bool isGrpc) => Assert.Equal(isGrpc, GrpcNames.IsGrpcContent(contentType));

    [Theory]
    [InlineData(Http2ErrorCode.NoError, StatusCode.Internal)]
    [InlineData(Http2ErrorCode.ProtocolError, StatusCode.Internal)]
    [InlineData(Http2ErrorCode.InternalError, StatusCode.Internal)]
    [InlineData(Http2ErrorCode.FlowControlError, StatusCode.Internal)]
    [InlineData(Http2ErrorCode.SettingsTimeout, StatusCode.Internal)]
    [InlineData(Http2ErrorCode.FrameSizeError, StatusCode.Internal)]
    [InlineData(Http2ErrorCode.RefusedStream, StatusCode.Unavailable)]
    [InlineData(Http2ErrorCode.Cancel, StatusCode.Cancelled)]
    [InlineData(Http2ErrorCode.CompressionError, StatusCode.Internal)]
    [InlineData(Http2ErrorCode.ConnectError, StatusCode.Internal)]
    [InlineData(Http2ErrorCode.EnhanceYourCalm, StatusCode.ResourceExhausted)]
    [InlineData(Http2ErrorCode.InadequateSecurity, StatusCode.PermissionDenied)]
    [InlineData((Http2ErrorCode)0xff, StatusCode.Internal)]
    public void Http2_error_codes_map_as_the_specification_says(Http2ErrorCode errorCode, StatusCode expected) =>
        Assert.Equal(expected, StatusMapping.FromHttp2(errorCode));

    [Theory]
    [InlineData(400, StatusCode.Internal)]
    [InlineData(401, StatusCode.Unauthenticated)]
    [InlineData(403, StatusCode.PermissionDenied)]
    [InlineData(404, StatusCode.Unimplemented)]
    [InlineData(429, StatusCode.Unavailable)]
    [InlineData(502, StatusCode.Unavailable)]
    [InlineData(503, StatusCode.Unavailable)]
    [InlineData(504, StatusCode.Unavailable)]
    [InlineData(200, StatusCode.Unknown)]
    [InlineData(500, StatusCode.Unknown)]
    [InlineData(302, StatusCode.Unknown)]
    public void Http_statuses_map_as_the_specification_says(int httpStatus, StatusCode expected) =>
        Assert.Equal(expected, StatusMapping.FromHttp(httpStatus));

    [Theory]
    [InlineData("0", StatusCode.Ok)]
    [InlineData("16", StatusCode.Unauthenticated)]
    [InlineData("17", StatusCode.Unknown)]
    [InlineData("-1", StatusCode.Unknown)]
    [InlineData("x", StatusCode.Unknown)]
    [InlineData("", StatusCode.Unknown)]
    public void A_grpc_status_that_is_not_known_is_Unknown(string text, StatusCode expected) => Assert.Equal(expected, StatusMapping.ParseStatus(text));

    [Theory]
    [InlineData("localhost:7070")]
    [InlineData("ftp://localhost")]
    [InlineData("http://localhost/path")]
    [InlineData("http://user@localhost")]
    [InlineData("unix:")]
    [InlineData("dns:///")]
    [InlineData("dns://8.8.8.8/host:1")]
    [InlineData("dns:///host:port")]
    [InlineData("dns:///host:1/path")]
    [InlineData("static:///")]
    [InlineData("static:///a:1,,b:2")]
    public void Other_addresses_are_refused(string address) => Assert.Throws<ArgumentException>(() => RpcChannel.ForAddress(address));

    [Theory]
    [InlineData("")]
    [InlineData("a b")]
    [InlineData("ä")]
    public void An_authority_that_cannot_be_sent_is_refused(string authority) =>
        Assert.Throws<ArgumentException>(() => RpcChannel.ForAddress("http://localhost", new RpcChannelOptions { Authority = authority }));

    [Fact]
    public void Options_check_their_ranges()
    {
        var channel = new RpcChannelOptions();
        Assert.Throws<ArgumentOutOfRangeException>(() => channel.MaxReceiveMessageBytes = -1);
        Assert.Throws<ArgumentOutOfRangeException>(() => channel.MaxSendMessageBytes = int.MaxValue);
        Assert.Throws<ArgumentOutOfRangeException>(() => channel.MaxConnections = 0);
        Assert.Throws<ArgumentOutOfRangeException>(() => channel.MaxConnections = 1025);
        Assert.Throws<ArgumentOutOfRangeException>(() => channel.MaxWaitingCalls = 0);
        Assert.Throws<ArgumentOutOfRangeException>(() => channel.MaxWaitingCalls = 1_000_001);
        Assert.Throws<ArgumentOutOfRangeException>(() => channel.ConnectTimeout = TimeSpan.Zero);
        Assert.Throws<ArgumentOutOfRangeException>(() => channel.ConnectTimeout = TimeSpan.FromDays(25));
        Assert.Throws<ArgumentOutOfRangeException>(() => channel.IdleTimeout = TimeSpan.FromMilliseconds(999));
        Assert.Throws<ArgumentOutOfRangeException>(() => channel.IdleTimeout = TimeSpan.FromDays(25));
        channel.IdleTimeout = Timeout.InfiniteTimeSpan;
        Assert.Throws<ArgumentOutOfRangeException>(() => channel.Backoff.Initial = TimeSpan.Zero);
        Assert.Throws<ArgumentOutOfRangeException>(() => channel.Backoff.Max = TimeSpan.FromHours(2));
        Assert.Throws<ArgumentOutOfRangeException>(() => channel.Backoff.Multiplier = 0.9);
        Assert.Throws<ArgumentOutOfRangeException>(() => channel.Backoff.Multiplier = double.NaN);
        Assert.Throws<ArgumentOutOfRangeException>(() => channel.Backoff.Jitter = 0.91);
        Assert.Throws<ArgumentOutOfRangeException>(() => channel.Backoff.Jitter = -0.1);
        var server = new RpcServerOptions();
        Assert.Throws<ArgumentOutOfRangeException>(() => server.MaxReceiveMessageBytes = -1);
        Assert.Throws<ArgumentOutOfRangeException>(() => server.MaxSendMessageBytes = int.MaxValue);
        server.MaxReceiveMessageBytes = server.MaxSendMessageBytes = 2_147_483_586;
    }
}
