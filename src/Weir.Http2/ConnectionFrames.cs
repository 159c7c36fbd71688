using System.Buffers.Binary;
using System.Text;

namespace Weir.Http2;

/// <summary>The frames of stream 0: SETTINGS, PING, GOAWAY and the connection's WINDOW_UPDATE. Checks them against RFC 9113 and the peer's budgets, and does what they say.
/// Owned by the read loop; errors are connection errors and are thrown.</summary>
internal sealed class ConnectionFrames(Http2Connection connection, Http2Options options, HeaderBlockAssembler headers, AbuseBudget emptyFrames)
{
    // Of GOAWAY's debug data, octets that are shown to people.
    private const int MostDebugBytes = 256;

    private readonly AbuseBudget _pings = new(options.TimeProvider, "PING frames", options.MaxPingsPerSecond);
    private readonly PingStrikes _strikes = new(options);
    private readonly AbuseBudget _settings = new(options.TimeProvider, "SETTINGS frames", options.MaxSettingsPerSecond);

    /// <summary>Whether the peer's first SETTINGS have come: nothing may come before them (§3.4).</summary>
    public bool SettingsSeen { get; private set; }

    public void OnSettings(in FrameHeader header, ReadOnlySpan<byte> payload)
    {
        FrameRules.CheckOnConnection(header);
        if (header.Has(FrameFlags.Ack))
        {
            OnSettingsAcknowledged(header);
            return;
        }

        _settings.Spend();
        SettingsSeen = true;
        lock (connection.Gate)
        {
            var windowBefore = connection.Peer.InitialWindowBytes;
            connection.Peer.Apply(payload);
            MoveSendWindows(connection.Peer.InitialWindowBytes - windowBefore);
            connection.Frames.Apply(connection.Peer);
            connection.Scheduler.MaxFrameBytes = connection.Frames.MaxFrameBytes;
            connection.Scheduler.Pump();
            connection.FreeSlotIfWanted();
        }

        connection.OnPeerReady();
        connection.WakeFlush();
    }

    public void OnPing(in FrameHeader header, ReadOnlySpan<byte> payload)
    {
        FrameRules.CheckOnConnection(header);
        FrameRules.CheckLength(header, 8);
        if (!header.Has(FrameFlags.Ack))
        {
            _pings.Spend();
            lock (connection.Gate)
            {
                if (connection.IsServer)
                {
                    _strikes.Count(connection.Frames.HeaderBlockCount + connection.Scheduler.SentBytes, isIdle: connection.Streams.Count == 0);
                }

                connection.Frames.AnswerPing(payload);
            }

            connection.WakeFlush();
        }
        else if (!IsAnswer(BinaryPrimitives.ReadInt64BigEndian(payload)))
        {
            emptyFrames.Spend();
        }
    }

    // Tells whoever sent the PING that it is answered; false when nobody has sent such a one.
    private bool IsAnswer(long opaque)
    {
        if (opaque == GoAwayExchange.DrainPing)
        {
            return connection.TryFinishDrain();
        }

        lock (connection.Gate)
        {
            return opaque == RoundTrip.Ping ? connection.Credit.TryAnswerPing() : opaque == KeepAlive.Ping || connection.SentPings.Complete(opaque);
        }
    }

    public void OnGoAway(in FrameHeader header, ReadOnlySpan<byte> payload)
    {
        FrameRules.CheckOnConnection(header);
        if (payload.Length < 8)
        {
            throw new Http2ConnectionException(Http2ErrorCode.FrameSizeError, $"GOAWAY came with {payload.Length} octets; it has 8 or more.");
        }

        var last = (int)(BinaryPrimitives.ReadUInt32BigEndian(payload) & 0x7fff_ffff);
        var code = (Http2ErrorCode)BinaryPrimitives.ReadUInt32BigEndian(payload[4..]);
        connection.OnGoAway(last, code, Encoding.UTF8.GetString(payload[8..Math.Min(payload.Length, 8 + MostDebugBytes)]));
    }

    public void OnWindowUpdate(int increment)
    {
        if (increment == 0)
        {
            throw new Http2ConnectionException(Http2ErrorCode.ProtocolError, "WINDOW_UPDATE came with an increment of 0 (RFC 9113 §6.9).");
        }

        lock (connection.Gate)
        {
            if (!connection.Scheduler.TryGrowConnectionWindow(increment))
            {
                throw new Http2ConnectionException(
                    Http2ErrorCode.FlowControlError,
                    $"WINDOW_UPDATE of {increment} takes the connection's window over {Http2Protocol.LargestWindowBytes}.");
            }

            connection.Scheduler.Pump();
        }

        connection.WakeFlush();
    }

    // §6.9.2: a changed initial window moves every open stream's window by the difference.
    private void MoveSendWindows(int difference)
    {
        foreach (var stream in connection.Streams.Open)
        {
            if (!stream.SendWindow.TryAdd(difference))
            {
                throw new Http2ConnectionException(
                    Http2ErrorCode.FlowControlError,
                    $"SETTINGS_INITIAL_WINDOW_SIZE of {connection.Peer.InitialWindowBytes} takes a stream's window over {Http2Protocol.LargestWindowBytes}.");
            }

            connection.Scheduler.Schedule(stream);
        }
    }

    private void OnSettingsAcknowledged(in FrameHeader header)
    {
        FrameRules.CheckLength(header, 0);
        if (!SettingsSeen)
        {
            throw new Http2ConnectionException(Http2ErrorCode.ProtocolError, "The first frame is an acknowledgement; it must be SETTINGS (RFC 9113 §3.4).");
        }

        headers.SettingsAcknowledged();
        bool isFirst;
        lock (connection.Gate)
        {
            isFirst = connection.Credit.TryAcknowledge(connection.Streams.Open);
        }

        if (isFirst)
        {
            connection.Clock.SettingsAcknowledged();
        }
        else
        {
            emptyFrames.Spend();
        }
    }
}
