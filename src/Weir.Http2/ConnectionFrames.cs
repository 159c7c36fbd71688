using System.Buffers.Binary;
using System.Text;

namespace Weir.Http2;

/// <summary>The frames of stream 0: SETTINGS, PING, GOAWAY and the connection's WINDOW_UPDATE. Checks them against RFC 9113 and the peer's budgets.
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
        connection.OnPeerSettings(payload);
    }

    public void OnPing(in FrameHeader header, ReadOnlySpan<byte> payload)
    {
        FrameRules.CheckOnConnection(header);
        FrameRules.CheckLength(header, 8);
        if (!header.Has(FrameFlags.Ack))
        {
            _pings.Spend();
            if (connection.IsServer)
            {
                _strikes.Count(connection.CountSent(out var isIdle), isIdle);
            }

            connection.AnswerPing(payload);
        }
        else if (!connection.OnPingAcknowledged(BinaryPrimitives.ReadInt64BigEndian(payload)))
        {
            emptyFrames.Spend();
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

        connection.GrowConnectionWindow(increment);
    }

    private void OnSettingsAcknowledged(in FrameHeader header)
    {
        FrameRules.CheckLength(header, 0);
        if (!SettingsSeen)
        {
            throw new Http2ConnectionException(Http2ErrorCode.ProtocolError, "The first frame is an acknowledgement; it must be SETTINGS (RFC 9113 §3.4).");
        }

        headers.SettingsAcknowledged();
        if (!connection.OnSettingsAcknowledged())
        {
            emptyFrames.Spend();
        }
    }
}
