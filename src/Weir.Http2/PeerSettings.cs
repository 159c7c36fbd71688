using System.Buffers.Binary;

namespace Weir.Http2;

/// <summary>What the peer's SETTINGS say (RFC 9113 §6.5). Guarded by the connection's lock.</summary>
internal sealed class PeerSettings(bool ofServer)
{
    /// <summary>Octets of one setting: its identifier and its value (§6.5.1).</summary>
    public const int EntryBytes = 6;

    public int HeaderTableBytes { get; private set; } = Http2Protocol.DefaultHeaderTableBytes;

    /// <summary>Streams this side may have open; without limit until the peer says one.</summary>
    public int MaxConcurrentStreams { get; private set; } = int.MaxValue;

    public int InitialWindowBytes { get; private set; } = Http2Protocol.DefaultWindowBytes;

    public int MaxFrameBytes { get; private set; } = Http2Protocol.DefaultMaxFrameBytes;

    /// <summary>The largest header list the peer wants, in octets; without limit until it says one.</summary>
    public int MaxHeaderListBytes { get; private set; } = int.MaxValue;

    /// <summary>Takes one SETTINGS payload in order.</summary>
    /// <exception cref="Http2ConnectionException">The length is no multiple of six, or a value is out of its range.</exception>
    public void Apply(ReadOnlySpan<byte> payload)
    {
        if (payload.Length % EntryBytes != 0)
        {
            throw new Http2ConnectionException(Http2ErrorCode.FrameSizeError, $"SETTINGS came with {payload.Length} octets, which is no multiple of {EntryBytes}.");
        }

        for (; !payload.IsEmpty; payload = payload[EntryBytes..])
        {
            Apply((SettingId)BinaryPrimitives.ReadUInt16BigEndian(payload), BinaryPrimitives.ReadUInt32BigEndian(payload[2..]));
        }
    }

    private void Apply(SettingId id, uint value)
    {
        switch (id)
        {
            case SettingId.HeaderTableSize:
                HeaderTableBytes = Clamp(value);
                break;
            case SettingId.EnablePush when value > (ofServer ? 0u : 1u):
                throw new Http2ConnectionException(
                    Http2ErrorCode.ProtocolError,
                    $"SETTINGS_ENABLE_PUSH is {value}; {(ofServer ? "a server may only send 0" : "it may be 0 or 1")} (RFC 9113 §6.5.2).");
            case SettingId.MaxConcurrentStreams:
                MaxConcurrentStreams = Clamp(value);
                break;
            case SettingId.InitialWindowSize when value > Http2Protocol.LargestWindowBytes:
                throw new Http2ConnectionException(
                    Http2ErrorCode.FlowControlError, $"SETTINGS_INITIAL_WINDOW_SIZE is {value}; the largest is {Http2Protocol.LargestWindowBytes}.");
            case SettingId.InitialWindowSize:
                InitialWindowBytes = (int)value;
                break;
            case SettingId.MaxFrameSize when value is < Http2Protocol.DefaultMaxFrameBytes or > Http2Protocol.LargestMaxFrameBytes:
                throw new Http2ConnectionException(
                    Http2ErrorCode.ProtocolError,
                    $"SETTINGS_MAX_FRAME_SIZE is {value}; it may be {Http2Protocol.DefaultMaxFrameBytes} to {Http2Protocol.LargestMaxFrameBytes}.");
            case SettingId.MaxFrameSize:
                MaxFrameBytes = (int)value;
                break;
            case SettingId.MaxHeaderListSize:
                MaxHeaderListBytes = Clamp(value);
                break;
            default:
                break; // §6.5.2: unknown settings are ignored
        }
    }

    private static int Clamp(uint value) => (int)Math.Min(value, int.MaxValue);
}
