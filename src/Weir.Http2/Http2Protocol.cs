namespace Weir.Http2;

/// <summary>The numbers of RFC 9113 in one place, each with the section it comes from.</summary>
internal static class Http2Protocol
{
    /// <summary>What a client sends first (§3.4).</summary>
    public static ReadOnlySpan<byte> ClientPreface => "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8;

    /// <summary>Octets of a frame header (§4.1).</summary>
    public const int FrameHeaderBytes = 9;

    /// <summary>SETTINGS_MAX_FRAME_SIZE before any SETTINGS, and its smallest value (§6.5.2).</summary>
    public const int DefaultMaxFrameBytes = 16_384;

    /// <summary>The largest value of SETTINGS_MAX_FRAME_SIZE (§6.5.2).</summary>
    public const int LargestMaxFrameBytes = 16_777_215;

    /// <summary>A flow-control window before any SETTINGS (§6.9.2).</summary>
    public const int DefaultWindowBytes = 65_535;

    /// <summary>The largest flow-control window (§6.9.1).</summary>
    public const int LargestWindowBytes = int.MaxValue;

    /// <summary>SETTINGS_HEADER_TABLE_SIZE before any SETTINGS (§6.5.2).</summary>
    public const int DefaultHeaderTableBytes = 4096;

    /// <summary>The largest stream identifier: 31 bits (§5.1.1).</summary>
    public const int LargestStreamId = int.MaxValue;
}

/// <summary>Frame types (RFC 9113 §6). Other values exist on the wire and are ignored (§5.5).</summary>
internal enum FrameType : byte
{
    Data = 0x0,
    Headers = 0x1,
    Priority = 0x2,
    RstStream = 0x3,
    Settings = 0x4,
    PushPromise = 0x5,
    Ping = 0x6,
    GoAway = 0x7,
    WindowUpdate = 0x8,
    Continuation = 0x9,
}

/// <summary>Frame flags (RFC 9113 §6). ACK shares its bit with END_STREAM: the type tells them apart.</summary>
[Flags]
#pragma warning disable CA1069 // the wire gives one bit two names
internal enum FrameFlags : byte
{
    None = 0x0,
    EndStream = 0x1,
    Ack = 0x1,
    EndHeaders = 0x4,
    Padded = 0x8,
    Priority = 0x20,
}
#pragma warning restore CA1069

/// <summary>Settings (RFC 9113 §6.5.2). Other values exist on the wire and are ignored.</summary>
internal enum SettingId : ushort
{
    HeaderTableSize = 0x1,
    EnablePush = 0x2,
    MaxConcurrentStreams = 0x3,
    InitialWindowSize = 0x4,
    MaxFrameSize = 0x5,
    MaxHeaderListSize = 0x6,
}
