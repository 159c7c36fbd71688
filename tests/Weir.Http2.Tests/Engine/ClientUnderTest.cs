using System.IO.Pipelines;
using Weir.Http2.Tests.Wire;

namespace Weir.Http2.Tests.Engine;

/// <summary>The engine as a client, the scripted peer as its server.</summary>
internal sealed class ClientUnderTest(Http2Options? options = null, PipeOptions? pipes = null)
    : EngineUnderTest(options, pipes, static (transport, options, _) => Http2Connection.CreateClient(transport, options))
{
    public static HeaderField[] Post { get; } = [new(":method", "POST"), new(":scheme", "http"), new(":path", "/"), new(":authority", "a")];

    /// <summary>Starts the engine and plays the server's handshake to its end.</summary>
    public static async Task<ClientUnderTest> StartAsync(
        Http2Options? options = null, (ushort Id, uint Value)[]? settings = null, PipeOptions? pipes = null)
    {
        var client = new ClientUnderTest(options, pipes);
        _ = client.Run();
        await client.Peer.ReadPrefaceAsync();
        Assert.False((await client.Peer.ReadFrameAsync(WireFrameType.Settings)).IsAck);
        await client.Peer.SendAsync(WireFrame.Settings(settings ?? []), WireFrame.SettingsAck());
        Assert.True((await client.Peer.SkipToAsync(WireFrameType.Settings)).IsAck);
        Assert.Empty(await client.FenceAsync());
        Assert.True(await client.Connection.Ready.Within("Ready"));
        return client;
    }

    public TestStream? TryOpen(bool endStream = false)
    {
        var listener = new TestStream();
        Http2Stream? stream = Connection.TryOpenStream(listener, Post, endStream, created => listener.Stream = created);
        if (stream is null)
            return null;
        Streams.Add(listener);
        return listener;
    }

    /// <summary>Opens a stream, whose request the peer reads.</summary>
    public async Task<TestStream> OpenAsync(bool endStream = false)
    {
        TestStream stream = TryOpen(endStream) ?? throw new InvalidOperationException("The stream was not opened.");
        WireHeaderBlock request = await Peer.SkipToHeadersAsync();
        Assert.Equal((stream.Stream.Id, endStream, "POST"), (request.StreamId, request.IsEndStream, request[":method"]));
        return stream;
    }

    /// <summary>A whole exchange on a new stream works.</summary>
    public async Task CheckNextStreamAsync()
    {
        TestStream stream = await OpenAsync(endStream: true);
        int id = stream.Stream.Id;
        await Peer.SendAsync(
            WireFrame.Headers(id, false, (":status", "200")),
            WireFrame.Data(id, "pong"u8.ToArray()),
            WireFrame.Headers(id, true, ("x-end", "1")));
        Assert.Equal("pong"u8.ToArray(), await stream.ReadToEndAsync());
        Assert.False((await stream.HeadersAsync()).EndStream);
        Assert.True((await stream.HeadersAsync()).EndStream);
        Assert.Equal(0, stream.Aborts);
    }
}
