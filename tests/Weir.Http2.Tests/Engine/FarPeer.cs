using Weir.Http2.Tests.Wire;

namespace Weir.Http2.Tests.Engine;

/// <summary>The scripted peer at the far end of a long link: keeps the ledger of the windows it was given, sends within them, and sees what the engine
/// sends, and answers its PINGs, a round trip later.</summary>
internal sealed class FarPeer(EngineUnderTest engine, TimeSpan roundTrip)
{
    const int FrameBytes = 16 * 1024;

    readonly Dictionary<int, long> _streams = [];
    long _sent;

    /// <summary>What the connection's window lets this peer send.</summary>
    public long ConnectionBytes { get; private set; } = engine.Options.ConnectionWindowBytes;

    /// <summary>Whether PINGs are answered.</summary>
    public bool Answers { get; set; } = true;

    /// <summary>What counts the PINGs, where they are counted.</summary>
    public PingStrikes? Strikes { get; set; }

    /// <summary>PINGs that have come.</summary>
    public int Pings { get; private set; }

    /// <summary>What the stream's window lets this peer send.</summary>
    public long StreamBytes(int id) => _streams.GetValueOrDefault(id, engine.Options.StreamWindowBytes);

    /// <summary>Sends so many octets, or as many as both windows allow. Returns how many.</summary>
    public async Task<int> SendAsync(int id, int most = int.MaxValue)
    {
        int bytes = (int)Math.Min(most, Math.Min(ConnectionBytes, StreamBytes(id)));
        for (int left = bytes; left > 0; left -= FrameBytes)
            await engine.Peer.SendAsync(WireFrame.Data(id, new byte[Math.Min(left, FrameBytes)]));
        ConnectionBytes -= bytes;
        _streams[id] = StreamBytes(id) - bytes;
        _sent += bytes;
        return bytes;
    }

    /// <summary>Lets a round trip pass: what the engine has sent arrives, and its PINGs are answered.</summary>
    public async Task PassAsync()
    {
        await PassAsync(roundTrip);
        await SeeAsync(); // the answers have arrived
    }

    public async Task PassAsync(TimeSpan time)
    {
        List<WireFrame> pings = await SeeAsync();
        engine.Time.Advance(time);
        if (Answers)
            await engine.Peer.SendAsync([.. pings.Select(ping => ping with { Flags = WireFrame.AckFlag })]);
    }

    /// <summary>Takes what the engine has sent. Returns its PINGs.</summary>
    public async Task<List<WireFrame>> SeeAsync()
    {
        List<WireFrame> pings = [];
        foreach (WireFrame frame in await engine.FenceAsync())
        {
            if (frame.Type == WireFrameType.Ping && !frame.IsAck)
            {
                pings.Add(frame);
                Strikes?.Count(_sent, isIdle: false);
            }
            else if (frame.Type == WireFrameType.WindowUpdate && frame.StreamId == 0)
                ConnectionBytes += frame.Increment;
            else if (frame.Type == WireFrameType.WindowUpdate)
                _streams[frame.StreamId] = StreamBytes(frame.StreamId) + frame.Increment;
        }

        Pings += pings.Count;
        return pings;
    }

    /// <summary>Sends all that is allowed to a reader that keeps up, and lets a round trip pass; so many times.</summary>
    public async Task StreamAsync(TestStream stream, int roundTrips, int most = int.MaxValue)
    {
        for (int i = 0; i < roundTrips; i++)
        {
            int sent = 0;
            for (int id = stream.Stream.Id, bytes; (bytes = await SendAsync(id, Math.Min(FrameBytes, most - sent))) > 0; sent += bytes)
                await stream.ReadAsync(bytes);
            await PassAsync();
        }
    }
}
