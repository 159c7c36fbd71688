using System.IO.Pipelines;
using System.Threading.Channels;
using Weir.Http2.Tests.Wire;

namespace Weir.Http2.Tests.Engine;

/// <summary>The engine as a server, the scripted peer as its client.</summary>
internal sealed class ServerUnderTest : EngineUnderTest, IHttp2ServerHandler
{
    readonly Channel<TestStream> _requests = Channel.CreateUnbounded<TestStream>();

    public ServerUnderTest(Http2Options? options = null, PipeOptions? pipes = null)
        : base(options, pipes, static (transport, options, self) =>
            Http2Connection.CreateServer(transport, (ServerUnderTest)self, options))
    {
    }

    /// <summary>Runs inside OnRequest.</summary>
    public Action<TestStream>? OnRequest { get; set; }

    public static (string, string)[] Get { get; } = [(":method", "GET"), (":scheme", "http"), (":path", "/"), (":authority", "a")];

    public static (string, string)[] Post { get; } = [(":method", "POST"), (":scheme", "http"), (":path", "/"), (":authority", "a")];

    /// <summary>Starts the engine and plays the client's handshake to its end.</summary>
    public static async Task<ServerUnderTest> StartAsync(
        Http2Options? options = null, (ushort Id, uint Value)[]? settings = null, PipeOptions? pipes = null)
    {
        var server = new ServerUnderTest(options, pipes);
        _ = server.Run();
        await server.Peer.SendPrefaceAsync(settings ?? []);
        WireFrame first = await server.Peer.ReadFrameAsync(WireFrameType.Settings);
        Assert.False(first.IsAck);
        Assert.True((await server.Peer.SkipToAsync(WireFrameType.Settings)).IsAck);
        await server.Peer.SendAsync(WireFrame.SettingsAck());
        Assert.Empty(await server.FenceAsync());
        return server;
    }

    /// <summary>The next request that reached the handler.</summary>
    public Task<TestStream> RequestAsync() => _requests.Reader.ReadAsync().AsTask().Within("a request");

    /// <summary>The peer opens a stream; the handler's side of it.</summary>
    public async Task<TestStream> OpenAsync(int streamId, bool endStream = false)
    {
        await Peer.SendAsync(WireFrame.Headers(streamId, endStream, endStream ? Get : Post));
        TestStream stream = await RequestAsync();
        Assert.Equal((streamId, endStream), (stream.Stream.Id, stream.RequestEnds));
        return stream;
    }

    /// <summary>A whole exchange on a new stream works.</summary>
    public async Task CheckNextStreamAsync(int streamId)
    {
        TestStream stream = await OpenAsync(streamId);
        await Peer.SendAsync(WireFrame.Data(streamId, "ping"u8.ToArray(), endStream: true));
        Assert.Equal("ping"u8.ToArray(), await stream.ReadToEndAsync());
        stream.Answer(endStream: false);
        await stream.SendAsync("pong");
        stream.Stream.SendHeaders([new("x-end", "1")], endStream: true);
        Assert.Equal("200", (await Peer.SkipToHeadersAsync())[":status"]);
        WireFrame data = await Peer.SkipToAsync(WireFrameType.Data);
        Assert.Equal((streamId, "pong"), (data.StreamId, System.Text.Encoding.ASCII.GetString(data.Content.Span)));
        WireHeaderBlock trailers = await Peer.SkipToHeadersAsync();
        Assert.Equal((streamId, true, "1"), (trailers.StreamId, trailers.IsEndStream, trailers["x-end"]));
        Assert.Equal(0, stream.Aborts);
    }

    IHttp2StreamListener IHttp2ServerHandler.OnRequest(Http2Stream stream, ReadOnlySpan<HeaderField> headers, bool endStream)
    {
        var request = new TestStream { Stream = stream, Request = [.. headers], RequestEnds = endStream };
        Streams.Add(request);
        OnRequest?.Invoke(request);
        _requests.Writer.TryWrite(request);
        return request;
    }
}
