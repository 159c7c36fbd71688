using System.Buffers;
using System.IO.Pipelines;
using System.Text;

namespace Weir.Http2.Tests.Wire;

/// <summary>
/// The scripted other end of a connection: sends any frames, reads the engine's frames one by one. Every wait is bounded and its failure
/// says what was awaited. One reader and one writer at a time.
/// </summary>
internal sealed class WirePeer(IDuplexPipe transport)
{
    /// <summary>Ends a wait for what never comes; no test that passes takes so long, however slow the machine.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    static readonly byte[] Preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8.ToArray();

    readonly WireHeaders _headers = new();
    readonly List<WireFrame> _seen = [];

    /// <summary>Every frame read so far.</summary>
    public IReadOnlyList<WireFrame> Seen => _seen;

    /// <summary>Plays the client's first words: the preface and SETTINGS.</summary>
    public Task SendPrefaceAsync(params (ushort Id, uint Value)[] settings) =>
        SendAsync([.. Preface, .. WireFrame.Settings(settings).ToBytes()]);

    /// <summary>Sends frames in one write.</summary>
    public Task SendAsync(params WireFrame[] frames) => SendAsync(frames.SelectMany(frame => frame.ToBytes()).ToArray());

    /// <summary>Sends octets as they are.</summary>
    public async Task SendAsync(byte[] octets)
    {
        using CancellationTokenSource patience = StartPatience();
        try
        {
            await transport.Output.WriteAsync(octets, patience.Token);
        }
        catch (OperationCanceledException error) when (!TestContext.Current.CancellationToken.IsCancellationRequested)
        {
            throw new TimeoutException($"Waited {Patience.TotalSeconds} s for {octets.Length} octets to be taken. {SeenSoFar()}", error);
        }
    }

    /// <summary>Ends this peer's sending direction.</summary>
    public ValueTask CompleteOutputAsync(Exception? error = null) => transport.Output.CompleteAsync(error);

    /// <summary>Ends this peer's receiving direction, so that the engine's writes find nobody.</summary>
    public ValueTask CompleteInputAsync(Exception? error = null) => transport.Input.CompleteAsync(error);

    /// <summary>Reads the client's preface; the SETTINGS after it is the next frame.</summary>
    public async Task ReadPrefaceAsync()
    {
        byte[] octets = await ReadOctetsAsync(Preface.Length, "the client preface");
        Assert.Equal(Encoding.ASCII.GetString(Preface), Encoding.ASCII.GetString(octets));
    }

    /// <summary>Reads the next frame; <paramref name="awaited"/> says in a failure what it should have been.</summary>
    public async Task<WireFrame> ReadFrameAsync(string awaited = "a frame") =>
        await TryReadFrameAsync(awaited)
        ?? throw new EndOfStreamException($"The connection ended instead of bringing {awaited}. {SeenSoFar()}");

    /// <summary>Reads the next frame, which must be of this type.</summary>
    public async Task<WireFrame> ReadFrameAsync(WireFrameType type)
    {
        WireFrame frame = await ReadFrameAsync($"{type}");
        Assert.True(frame.Type == type, $"expected {type}, but got {frame}. {SeenSoFar()}");
        return frame;
    }

    /// <summary>Reads frames up to the first of this type and returns it; the ones passed over are in <see cref="Seen"/>.</summary>
    public async Task<WireFrame> SkipToAsync(WireFrameType type)
    {
        while (true)
        {
            WireFrame frame = await ReadFrameAsync($"{type}");
            if (frame.Type == type)
                return frame;
            CheckNoBlockIsLost(frame);
        }
    }

    /// <summary>
    /// Reads a header block, HEADERS and its CONTINUATION frames, and decodes it. Blocks must be read in order, none left out.
    /// </summary>
    public async Task<WireHeaderBlock> ReadHeadersAsync() => await JoinAsync(await ReadFrameAsync(WireFrameType.Headers));

    /// <summary>Like <see cref="ReadHeadersAsync"/>, passing over frames of other types.</summary>
    public async Task<WireHeaderBlock> SkipToHeadersAsync() => await JoinAsync(await SkipToAsync(WireFrameType.Headers));

    /// <summary>Asserts that the engine ends the connection without another frame.</summary>
    public async Task ReadEndAsync()
    {
        WireFrame? frame = await TryReadFrameAsync("the end of the connection");
        Assert.True(frame is null, $"expected the end of the connection, but got {frame}. {SeenSoFar()}");
    }

    static CancellationTokenSource StartPatience()
    {
        var source = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        source.CancelAfter(Patience);
        return source;
    }

    static void CheckNoBlockIsLost(WireFrame frame) =>
        Assert.False(
            frame.Type is WireFrameType.Headers or WireFrameType.Continuation,
            $"{frame} must be read with ReadHeadersAsync, or the next header block cannot be decoded.");

    async Task<WireHeaderBlock> JoinAsync(WireFrame first)
    {
        List<byte> block = [.. first.Content.Span];
        for (WireFrame last = first; !last.IsEndHeaders; block.AddRange(last.Content.Span))
        {
            last = await ReadFrameAsync(WireFrameType.Continuation);
            Assert.Equal(first.StreamId, last.StreamId);
        }

        return new WireHeaderBlock(first.StreamId, first.IsEndStream, _headers.Decode([.. block]));
    }

    async Task<WireFrame?> TryReadFrameAsync(string awaited)
    {
        byte[] head = await ReadOctetsAsync(WireFrame.HeaderLength, awaited, mayEnd: true);
        if (head.Length == 0)
            return null;
        int length = head[0] << 16 | head[1] << 8 | head[2];
        int streamId = (head[5] << 24 | head[6] << 16 | head[7] << 8 | head[8]) & int.MaxValue;
        byte[] payload = await ReadOctetsAsync(length, $"{awaited} (payload of {length} octets)");
        var frame = new WireFrame((WireFrameType)head[3], head[4], streamId, payload);
        _seen.Add(frame);
        return frame;
    }

    // With mayEnd, the end of the connection before the first octet gives an empty array.
    async Task<byte[]> ReadOctetsAsync(int count, string awaited, bool mayEnd = false)
    {
        if (count == 0)
            return []; // a read of nothing would wait for something
        using CancellationTokenSource patience = StartPatience();
        try
        {
            ReadResult result = await transport.Input.ReadAtLeastAsync(count, patience.Token);
            ReadOnlySequence<byte> buffer = result.Buffer;
            if (buffer.Length >= count)
            {
                byte[] octets = buffer.Slice(0, count).ToArray();
                transport.Input.AdvanceTo(buffer.GetPosition(count));
                return octets;
            }

            transport.Input.AdvanceTo(buffer.Start, buffer.End);
            if (mayEnd && buffer.IsEmpty)
                return [];
            throw new EndOfStreamException($"The connection ended after {buffer.Length} of {count} octets of {awaited}. {SeenSoFar()}");
        }
        catch (OperationCanceledException error) when (!TestContext.Current.CancellationToken.IsCancellationRequested)
        {
            throw new TimeoutException($"Waited {Patience.TotalSeconds} s for {awaited}. {SeenSoFar()}", error);
        }
    }

    string SeenSoFar() => _seen.Count == 0 ? "No frame came before." : $"Before: {string.Join("; ", _seen.TakeLast(8))}";
}
