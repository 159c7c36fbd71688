using System.IO.Pipelines;
using System.Text;
using Microsoft.Extensions.Time.Testing;
using Weir.Http2.Tests.Wire;

namespace Weir.Http2.Tests.Engine;

/// <summary>A connection under test, fake time and the scripted peer at its other end. Its end asserts that the connection ended: both
/// loops done, every stream out of the table and told at most once, no memory held for output.</summary>
internal abstract class EngineUnderTest : IAsyncDisposable
{
    readonly IDuplexPipe _peerEnd;
    Task _run = Task.CompletedTask;
    bool _peerHasLeft;

    protected EngineUnderTest(Http2Options? options, PipeOptions? pipes, Func<IDuplexPipe, Http2Options, EngineUnderTest, Http2Connection> create)
    {
        Options = options ?? new Http2Options();
        Options.TimeProvider = Time;
        var (engineEnd, peerEnd) = DuplexPipePair.Create(pipes);
        _peerEnd = peerEnd;
        Peer = new WirePeer(peerEnd);
        Connection = create(engineEnd, Options, this);
    }

    public FakeTimeProvider Time { get; } = new();

    public Http2Options Options { get; }

    public WirePeer Peer { get; }

    public Http2Connection Connection { get; }

    public List<TestStream> Streams { get; } = [];

    public Task Run() => _run = Connection.RunAsync();

    public Task EndAsync() => _run.Within("the end of the connection");

    /// <summary>All frames that the engine sent because of what the peer sent before this call.</summary>
    /// <param name="settingsBefore">SETTINGS that the test has sent itself, whose acknowledgements come first.</param>
    public async Task<List<WireFrame>> FenceAsync(int settingsBefore = 0)
    {
        await Peer.SendAsync(WireFrame.Settings());
        List<WireFrame> frames = [];
        while (true)
        {
            WireFrame frame = await Peer.ReadFrameAsync("the acknowledgement of the fence");
            if (frame.Type != WireFrameType.Settings || !frame.IsAck)
                frames.Add(frame);
            else if (settingsBefore-- == 0)
                return frames;
        }
    }

    /// <summary>The engine answers with GOAWAY and ends the connection.</summary>
    public async Task ExpectConnectionErrorAsync(Http2ErrorCode code, int lastStreamId = 0, string? reason = null)
    {
        WireFrame goAway = await SkipDataToAsync(WireFrameType.GoAway);
        string text = Encoding.UTF8.GetString(goAway.Payload.AsSpan(8));
        Assert.True(code == goAway.ErrorCode, $"expected {code}, but got {goAway.ErrorCode}: {text}");
        Assert.Equal(lastStreamId, goAway.LastStreamId);
        if (reason is not null)
            Assert.Contains(reason, text, StringComparison.Ordinal);
        await Peer.ReadEndAsync();
        Assert.NotNull(Connection.CloseReason);
    }

    /// <summary>The engine resets the stream, and nothing else happens.</summary>
    public async Task ExpectResetAsync(int streamId, Http2ErrorCode code)
    {
        WireFrame reset = Assert.Single(await FenceAsync(), frame => frame.Type != WireFrameType.WindowUpdate);
        Assert.Equal((WireFrameType.RstStream, streamId, code), (reset.Type, reset.StreamId, reset.ErrorCode));
    }

    public async Task<WireFrame> SkipDataToAsync(WireFrameType type)
    {
        while (true)
        {
            WireFrame frame = await Peer.ReadFrameAsync($"{type}");
            if (frame.Type == type)
                return frame;
        }
    }

    /// <summary>The peer closes its side and reads what is left.</summary>
    public async Task PeerLeavesAsync()
    {
        _peerHasLeft = true;
        await Peer.CompleteOutputAsync();
        await DrainAsync().Within("the engine to close its side");
        await EndAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (!_peerHasLeft)
            await PeerLeavesAsync();
        Assert.Equal(0, Connection.ActiveStreams);
        Assert.True(Connection.Frames.Output.IsEmpty, $"{Connection.Frames.Output.Length} octets of output are left");
        Assert.True(Connection.Draining.IsCancellationRequested || await DrainingFiresAsync(), "Draining did not fire");
        Assert.Null(Connection.TryOpenStream(new TestStream(), [new(":method", "GET")], endStream: true));
        foreach (TestStream stream in Streams)
            Assert.InRange(stream.Aborts, 0, 1);
    }

    async Task<bool> DrainingFiresAsync()
    {
        var fired = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        using (Connection.Draining.Register(() => fired.TrySetResult(true)))
            return await fired.Task.Within("Draining");
    }

    async Task DrainAsync()
    {
        try
        {
            while (true)
            {
                ReadResult result = await _peerEnd.Input.ReadAsync();
                _peerEnd.Input.AdvanceTo(result.Buffer.End);
                if (result.IsCompleted)
                    return;
            }
        }
        catch (InvalidOperationException)
        {
            // The test has completed the peer's reading side itself.
        }
    }
}
