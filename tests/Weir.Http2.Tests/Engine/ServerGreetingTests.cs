using System.Text;
using Weir.Http2.Tests.Wire;
using static Weir.Http2.Http2ErrorCode;

namespace Weir.Http2.Tests.Engine;

/// <summary>A client whose server does not speak HTTP/2 says what it speaks.</summary>
public sealed class ServerGreetingTests
{
    const string BadRequest = "HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n";

    [Theory]
    [InlineData(BadRequest, "HTTP/1.1 400 Bad Request")]
    [InlineData("HTTP/1.0 200 OK\nbare", "HTTP/1.0 200 OK")]
    [InlineData("HTTP/1.1 200 \u00e9\0\u001b[1m\r\n", "HTTP/1.1 200 ????[1m")] // \u00e9 is two octets
    [InlineData("HTTP/\r\n", "HTTP/")]
    public async Task Status_line_is_quoted_wherever_it_is_split(string answer, string quoted)
    {
        byte[] octets = Encoding.UTF8.GetBytes(answer);
        for (int split = 0; split <= Math.Min(octets.Length, 30); split++)
            await CheckAsync([octets[..split], octets[split..]], $"The server answered in HTTP/1.x, not HTTP/2: \"{quoted}\". Is it the port of an HTTP/1.1 server");
        await CheckAsync([.. octets.Select(octet => new[] { octet })], $"The server answered in HTTP/1.x, not HTTP/2: \"{quoted}\". ");
    }

    [Fact]
    public async Task Status_line_without_an_end_is_quoted_in_part()
    {
        string line = "HTTP/1.1 200 " + new string('x', 1000);
        await CheckAsync([Encoding.ASCII.GetBytes(line)], $"\"{line[..128]}\".");
    }

    [Fact]
    public async Task Status_line_that_is_cut_off_is_quoted_as_far_as_it_came()
    {
        for (int length = 0; length < BadRequest.IndexOf('\n', StringComparison.Ordinal); length++)
        {
            await using var client = await StartAsync();
            await client.Peer.SendAsync(Encoding.ASCII.GetBytes(BadRequest[..length]));
            await client.PeerLeavesAsync();
            Assert.StartsWith(
                length == 0 ? "The peer closed the connection before it sent anything, as a server with TLS does"
                : length < 5 ? "The peer closed the connection." : $"The server answered in HTTP/1.x, not HTTP/2: \"{BadRequest[..length].TrimEnd('\r')}\"",
                client.Connection.CloseReason,
                StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData(new byte[] { 0x15, 3, 3, 0, 2, 2, 70 }, "an alert")]
    [InlineData(new byte[] { 0x15, 3, 1, 0, 2, 2, 10 }, "an alert")]
    [InlineData(new byte[] { 0x16, 3, 3, 0, 122, 2 }, "a handshake")]
    public async Task Record_of_Tls_is_told_wherever_it_is_split(byte[] record, string what)
    {
        for (int split = 0; split <= record.Length; split++)
            await CheckAsync([record[..split], record[split..]], $"The server answered with TLS ({what}), but the connection to it is without: should the address begin with https?");
    }

    [Theory]
    [InlineData(new byte[] { 0x48, 0x54, 0x54, 0x50, 0x2d, 0, 0, 0, 0 }, "A frame of 4740180 octets came")] // "HTTP-"
    [InlineData(new byte[] { 0x48, 0, 0, 4, 0, 0, 0, 0, 0 }, "A frame of 4718592 octets came")]
    [InlineData(new byte[] { 0x15, 2, 3, 4, 0, 0, 0, 0, 0 }, "A frame of 1376771 octets came")]
    [InlineData(new byte[] { 0x17, 3, 3, 4, 0, 0, 0, 0, 0 }, "A frame of 1508099 octets came")]
    public async Task What_only_begins_alike_is_a_frame_wherever_it_is_split(byte[] header, string reason)
    {
        for (int split = 0; split <= header.Length; split++)
            await CheckAsync([header[..split], header[split..]], reason, FrameSizeError);
    }

    [Fact]
    public async Task First_frame_that_asks_for_Http1_is_told_and_any_other_error_is_not()
    {
        await CheckAsync([WireFrame.GoAway(0, Http11Required).ToBytes()], "The server answered that it speaks HTTP/1.1 here, not HTTP/2 (GOAWAY with HTTP_1_1_REQUIRED). Is it the port of an HTTP/1.1 server");
        await CheckAsync([WireFrame.GoAway(0, ProtocolError).ToBytes()], "The first frame is GoAway; it must be SETTINGS (RFC 9113 §3.4).");
    }

    [Fact]
    public async Task Settings_one_octet_at_a_time_are_taken_and_Http_in_a_later_frame_is_data()
    {
        await using var client = await StartAsync();
        foreach (byte octet in WireFrame.Settings().ToBytes())
            await client.Peer.SendAsync(new[] { octet });
        Assert.True(await client.Connection.Ready.Within("Ready"));
        await client.Peer.SendAsync(WireFrame.SettingsAck());
        TestStream stream = await client.OpenAsync(endStream: true);
        await client.Peer.SendAsync(
            WireFrame.Headers(stream.Stream.Id, false, (":status", "200")), WireFrame.Data(stream.Stream.Id, Encoding.ASCII.GetBytes(BadRequest), endStream: true));
        Assert.Equal(Encoding.ASCII.GetBytes(BadRequest), await stream.ReadToEndAsync());
    }

    static async Task<ClientUnderTest> StartAsync()
    {
        var client = new ClientUnderTest();
        _ = client.Run();
        await client.Peer.ReadPrefaceAsync();
        await client.Peer.ReadFrameAsync(WireFrameType.Settings);
        return client;
    }

    static async Task CheckAsync(byte[][] pieces, string reason, Http2ErrorCode code = ProtocolError)
    {
        await using var client = await StartAsync();
        foreach (byte[] piece in pieces)
            await client.Peer.SendAsync(piece);
        await client.ExpectConnectionErrorAsync(code);
        Assert.Contains(reason, client.Connection.CloseReason, StringComparison.Ordinal);
        Assert.False(await client.Connection.Ready.Within("Ready"));
    }
}
