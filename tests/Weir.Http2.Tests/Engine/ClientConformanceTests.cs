using System.Text;
using Weir.Http2.Tests.Wire;
using static Weir.Http2.Http2ErrorCode;

namespace Weir.Http2.Tests.Engine;

/// <summary>A client against a server that breaks the rules, and against one that uses them in full.</summary>
public sealed class ClientConformanceTests
{
    static readonly byte[] Ok = WireHeaders.Encode((":status", "200"));

    // Every case finds stream 1 open without an answer, and stream 3 ended by both sides.
    internal static readonly Dictionary<string, (WireFrame[] Frames, Http2ErrorCode Code)> ConnectionErrors = new()
    {
        ["Headers on a stream of the server"] = ([WireFrame.Headers(2, Ok, true)], ProtocolError),
        ["Headers on an idle stream"] = ([WireFrame.Headers(5, Ok, true)], ProtocolError),
        ["Data on an idle stream"] = ([WireFrame.Data(5, [1])], ProtocolError),
        ["RstStream on an idle stream"] = ([WireFrame.RstStream(5, Cancel)], ProtocolError),
        ["WindowUpdate on an idle stream"] = ([WireFrame.WindowUpdate(5, 1)], ProtocolError),
        ["PushPromise"] = ([new(WireFrameType.PushPromise, 4, 1, [0, 0, 0, 2, .. Ok])], ProtocolError),
        ["Settings with ENABLE_PUSH 1"] = ([WireFrame.Settings((2, 1))], ProtocolError),
        ["Block that cannot be decoded"] = ([WireFrame.Headers(1, [0xff, 0xff, 0xff, 0xff, 0xff, 0xff], true)], CompressionError),
    };

    internal static readonly Dictionary<string, (WireFrame[] Frames, Http2ErrorCode Code)> StreamErrors = new()
    {
        ["Data before the headers"] = ([WireFrame.Data(1, [1])], ProtocolError),
        ["Response without :status"] = ([WireFrame.Headers(1, false, ("x", "y"))], ProtocolError),
        ["Response with :status twice"] = ([WireFrame.Headers(1, false, (":status", "200"), (":status", "200"))], ProtocolError),
        ["Response with :status of two digits"] = ([WireFrame.Headers(1, false, (":status", "20"))], ProtocolError),
        ["Response with :status that is no number"] = ([WireFrame.Headers(1, false, (":status", "2x0"))], ProtocolError),
        ["Response with a request's pseudo-header"] = ([WireFrame.Headers(1, false, (":status", "200"), (":path", "/"))], ProtocolError),
        ["Response with :status after a field"] = ([WireFrame.Headers(1, false, ("x", "y"), (":status", "200"))], ProtocolError),
        ["Informational response that ends the stream"] = ([WireFrame.Headers(1, true, (":status", "103"))], ProtocolError),
        ["Trailers without END_STREAM"] = ([WireFrame.Headers(1, Ok, false), WireFrame.Headers(1, false, ("x", "y"))], ProtocolError),
        ["Data after END_STREAM"] = ([WireFrame.Headers(1, Ok, true), WireFrame.Data(1, [1])], StreamClosed),
        ["Headers after END_STREAM"] = ([WireFrame.Headers(1, Ok, true), WireFrame.Headers(1, true, ("x", "y"))], StreamClosed),
        ["Body longer than content-length"] =
            ([WireFrame.Headers(1, false, (":status", "200"), ("content-length", "1")), WireFrame.Data(1, [1, 2])], ProtocolError),
    };

    public static TheoryData<string> ConnectionErrorNames => [.. ConnectionErrors.Keys];

    public static TheoryData<string> StreamErrorNames => [.. StreamErrors.Keys];

    [Theory, MemberData(nameof(ConnectionErrorNames))]
    public async Task Connection_error_of_the_server_ends_the_connection_with_its_code(string name)
    {
        (WireFrame[] frames, Http2ErrorCode code) = ConnectionErrors[name];
        await using var client = await ClientUnderTest.StartAsync();
        TestStream open = await client.OpenAsync();
        await client.CheckNextStreamAsync();
        await client.Peer.SendAsync(frames);
        await client.ExpectConnectionErrorAsync(code);
        Http2StreamAbort abort = await open.AbortAsync();
        Assert.Equal((Http2AbortOrigin.ConnectionLost, code, false), (abort.Origin, abort.ErrorCode, abort.IsUnprocessed));
    }

    [Theory, MemberData(nameof(StreamErrorNames))]
    public async Task Stream_error_of_the_server_resets_the_stream_with_its_code(string name)
    {
        (WireFrame[] frames, Http2ErrorCode code) = StreamErrors[name];
        await using var client = await ClientUnderTest.StartAsync();
        TestStream stream = await client.OpenAsync();
        await client.Peer.SendAsync(frames);
        await client.ExpectResetAsync(1, code);
        Http2StreamAbort abort = await stream.AbortAsync();
        Assert.Equal((Http2AbortOrigin.Local, code), (abort.Origin, abort.ErrorCode));
        await client.CheckNextStreamAsync();
    }

    [Fact]
    public async Task First_words_are_preface_Settings_and_the_connections_window_even_when_the_owner_was_there_first()
    {
        await using var client = new ClientUnderTest();
        Assert.NotNull(client.TryOpen(endStream: true));
        Task<TimeSpan> ping = client.Connection.PingAsync(TestContext.Current.CancellationToken);
        _ = client.Run();
        await client.Peer.ReadPrefaceAsync();
        WireFrame settings = await client.Peer.ReadFrameAsync(WireFrameType.Settings);
        Assert.Equal([((ushort)1, 4096u), (2, 0), (4, 1 << 20), (5, 131_072), (6, 32_768)], settings.Parameters);
        Assert.Equal((8 << 20) - 65_535, (await client.Peer.ReadFrameAsync(WireFrameType.WindowUpdate)).Increment);
        Assert.Equal("POST", (await client.Peer.ReadHeadersAsync())[":method"]);
        WireFrame sent = await client.Peer.ReadFrameAsync(WireFrameType.Ping);
        await client.Peer.SendAsync(WireFrame.Settings(), sent with { Flags = WireFrame.AckFlag });
        Assert.Equal(TimeSpan.Zero, await ping.Within("the PING's answer"));
    }

    [Fact]
    public async Task Informational_responses_are_passed_over_and_the_final_one_follows()
    {
        await using var client = await ClientUnderTest.StartAsync();
        TestStream stream = await client.OpenAsync();
        await client.Peer.SendAsync(
            WireFrame.Headers(1, false, (":status", "100")),
            WireFrame.Headers(1, false, (":status", "103"), ("link", "x")),
            WireFrame.Headers(1, false, (":status", "200")),
            WireFrame.Data(1, "body"u8.ToArray(), padding: 3),
            WireFrame.Headers(1, true, ("x-end", "1")));
        Assert.Equal([new HeaderField(":status", "200")], (await stream.HeadersAsync()).Fields);
        Assert.Equal("body", Encoding.ASCII.GetString(await stream.ReadToEndAsync()));
        Assert.Equal([new HeaderField("x-end", "1")], (await stream.HeadersAsync()).Fields);
        stream.Stream.SendEndOfStream();
        WireFrame end = await client.Peer.ReadFrameAsync(WireFrameType.Data);
        Assert.Equal((1, true, 0), (end.StreamId, end.IsEndStream, end.Payload.Length));
        await client.FenceAsync();
        Assert.Equal((0, 0), (client.Connection.ActiveStreams, stream.Aborts));
    }

    [Fact]
    public async Task Refused_stream_is_known_to_be_unprocessed()
    {
        await using var client = await ClientUnderTest.StartAsync();
        TestStream stream = await client.OpenAsync();
        await client.Peer.SendAsync(WireFrame.RstStream(1, RefusedStream));
        Http2StreamAbort abort = await stream.AbortAsync();
        Assert.Equal((Http2AbortOrigin.PeerReset, RefusedStream, true), (abort.Origin, abort.ErrorCode, abort.IsUnprocessed));
        await client.CheckNextStreamAsync();
    }

    // What gRPC's C core does under load when a deadline passes while its handler still sends.
    [Fact]
    public async Task Trailers_sent_twice_and_Data_behind_them_leave_the_other_streams_alone_and_their_window_whole()
    {
        await using var client = await ClientUnderTest.StartAsync();
        TestStream other = await client.OpenAsync();
        TestStream ended = await client.OpenAsync(endStream: true);
        WireFrame trailers = WireFrame.Headers(3, true, (":status", "200"), ("grpc-status", "4"));
        await client.Peer.SendAsync(trailers, WireFrame.RstStream(3, NoError), trailers, WireFrame.RstStream(3, NoError));
        await client.ExpectResetAsync(3, StreamClosed);
        for (var i = 0; i < 600; i++) // more than the connection's window of 8 MiB
            await client.Peer.SendAsync(WireFrame.Data(3, new byte[16_384]));
        Assert.Single((await ended.HeadersAsync()).Fields, field => field.Name == "grpc-status");
        Assert.False(ended.HasHeaders);
        Assert.Equal((0, 0), (ended.Aborts, other.Aborts));
        await client.Peer.SendAsync(WireFrame.Headers(1, Ok, false), WireFrame.Data(1, "body"u8.ToArray(), endStream: true));
        Assert.Equal("body", Encoding.ASCII.GetString(await other.ReadToEndAsync()));
        await client.CheckNextStreamAsync();
    }

    [Fact]
    public async Task Large_header_list_goes_out_in_Headers_and_Continuation_of_the_peers_frame_size()
    {
        await using var client = await ClientUnderTest.StartAsync();
        HeaderField[] fields = [.. ClientUnderTest.Post, new("x", string.Concat(Enumerable.Repeat("~{}|", 10_000)))];
        Assert.NotNull(client.Connection.TryOpenStream(new TestStream(), fields, endStream: true));
        WireHeaderBlock block = await client.Peer.ReadHeadersAsync();
        Assert.Equal(fields.Select(f => (f.Name, f.Value)), block.Fields);
        Assert.True(block.IsEndStream);
        Assert.Contains(client.Peer.Seen, frame => frame.Type == WireFrameType.Continuation);
        Assert.All(client.Peer.Seen, frame => Assert.InRange(frame.Payload.Length, 0, 16_384));
    }

    [Fact]
    public async Task Field_with_a_char_above_255_is_refused_and_the_next_stream_works()
    {
        await using var client = await ClientUnderTest.StartAsync();
        Assert.Throws<ArgumentException>(() =>
            client.Connection.TryOpenStream(new TestStream(), [.. ClientUnderTest.Post, new("x", "\u0100")], endStream: true));
        TestStream stream = await client.OpenAsync();
        Assert.Throws<ArgumentException>(() => stream.Stream.SendHeaders([new("x", "\u0100")], endStream: true));
        await stream.SendAsync("still open");
        Assert.Equal(10, (await client.Peer.ReadFrameAsync(WireFrameType.Data)).Payload.Length);
        await client.CheckNextStreamAsync();
    }
}
