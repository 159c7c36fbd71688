using System.Buffers;
using System.Buffers.Binary;
using System.Text;
using Weir.Http2.Hpack;

namespace Weir.Http2;

/// <summary>Puts this side's frames together and into the output: header blocks through the one HPACK encoder, resets, GOAWAY, the preface.
/// Guarded by the connection's lock; does no I/O.</summary>
internal sealed class FrameWriter(Http2Options options, bool isServer)
{
    // GOAWAY's debug data: a sentence, not a report.
    private const int MostReasonChars = 200;

    private readonly HpackEncoder _headerEncoder = new(Http2Protocol.DefaultHeaderTableBytes);
    private readonly ArrayBufferWriter<byte> _headerBlock = new();

    public OutputBuffer Output { get; } = new();

    /// <summary>The largest frame to send, in octets of payload: what the peer allows, and no more than this side would take.</summary>
    public int MaxFrameBytes { get; private set; } = Http2Protocol.DefaultMaxFrameBytes;

    /// <summary>Header blocks sent so far.</summary>
    public long HeaderBlockCount { get; private set; }

    /// <summary>Goes by the peer's SETTINGS from now on, and says so.</summary>
    public void Apply(PeerSettings peer)
    {
        _headerEncoder.SetMaxTableBytes(peer.HeaderTableBytes);
        MaxFrameBytes = Math.Min(peer.MaxFrameBytes, options.MaxFrameBytes);
        Output.AppendAnswer(FrameType.Settings, FrameFlags.Ack, 0, []);
        CheckQueuedAnswers();
    }

    /// <summary>What a connection begins with (RFC 9113 §3.4): the client's preface, SETTINGS, and the connection's window where it is larger than the protocol's.</summary>
    public void AppendPreface()
    {
        if (!isServer)
        {
            Output.AppendRaw(Http2Protocol.ClientPreface);
        }

        ReadOnlySpan<(SettingId Id, int Value)> settings =
        [
            (SettingId.HeaderTableSize, options.HeaderTableBytes),
            isServer ? (SettingId.MaxConcurrentStreams, options.MaxConcurrentStreams) : (SettingId.EnablePush, 0),
            (SettingId.InitialWindowSize, options.StreamWindowBytes),
            (SettingId.MaxFrameSize, options.MaxFrameBytes),
            (SettingId.MaxHeaderListSize, options.MaxHeaderListBytes),
        ];
        Span<byte> payload = stackalloc byte[settings.Length * PeerSettings.EntryBytes];
        for (var i = 0; i < settings.Length; i++)
        {
            var entry = payload[(i * PeerSettings.EntryBytes)..];
            BinaryPrimitives.WriteUInt16BigEndian(entry, (ushort)settings[i].Id);
            BinaryPrimitives.WriteInt32BigEndian(entry[2..], settings[i].Value);
        }

        Output.AppendFrame(FrameType.Settings, FrameFlags.None, 0, payload);
        if (options.ConnectionWindowBytes > Http2Protocol.DefaultWindowBytes)
        {
            // In order, not ahead: SETTINGS must be the first frame.
            Span<byte> increment = stackalloc byte[4];
            BinaryPrimitives.WriteInt32BigEndian(increment, options.ConnectionWindowBytes - Http2Protocol.DefaultWindowBytes);
            Output.AppendFrame(FrameType.WindowUpdate, FrameFlags.None, 0, increment);
        }
    }

    /// <summary>Appends a header block in HEADERS and as many CONTINUATION frames as it takes.</summary>
    /// <exception cref="ArgumentException">A field has a char above 255. Nothing was appended.</exception>
    public void AppendHeaders(int streamId, ReadOnlySpan<HeaderField> fields, bool endStream)
    {
        HeaderBlockCount++;
        _headerEncoder.Encode(fields, _headerBlock);
        var block = _headerBlock.WrittenSpan;
        var type = FrameType.Headers;
        var flags = endStream ? FrameFlags.EndStream : FrameFlags.None;
        while (block.Length > MaxFrameBytes)
        {
            Output.AppendFrame(type, flags, streamId, block[..MaxFrameBytes]);
            block = block[MaxFrameBytes..];
            (type, flags) = (FrameType.Continuation, FrameFlags.None);
        }

        Output.AppendFrame(type, flags | FrameFlags.EndHeaders, streamId, block);
        _headerBlock.ResetWrittenCount();
    }

    public void AppendEndOfStream(int streamId) => Output.AppendFrame(FrameType.Data, FrameFlags.EndStream, streamId, []);

    public void AppendReset(int streamId, Http2ErrorCode errorCode)
    {
        Span<byte> payload = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(payload, (uint)errorCode);
        Output.AppendFrame(FrameType.RstStream, FrameFlags.None, streamId, payload);
    }

    /// <summary>Appends GOAWAY. A client names the last stream that the server opened: none.</summary>
    public void AppendGoAway(int lastStreamId, Http2ErrorCode errorCode, string reason)
    {
        var text = Encoding.UTF8.GetBytes(reason.Length > MostReasonChars ? reason[..MostReasonChars] : reason);
        var payload = new byte[8 + text.Length];
        BinaryPrimitives.WriteInt32BigEndian(payload, isServer ? lastStreamId : 0);
        BinaryPrimitives.WriteUInt32BigEndian(payload.AsSpan(4), (uint)errorCode);
        text.CopyTo(payload, 8);
        Output.AppendFrame(FrameType.GoAway, FrameFlags.None, 0, payload);
    }

    /// <summary>Appends PING in order, behind what was gathered before it.</summary>
    public void AppendPing(long opaque)
    {
        Span<byte> payload = stackalloc byte[8];
        BinaryPrimitives.WriteInt64BigEndian(payload, opaque);
        Output.AppendFrame(FrameType.Ping, FrameFlags.None, 0, payload);
    }

    /// <summary>Puts PING ahead of all other frames.</summary>
    public void PrependPing(long opaque)
    {
        Span<byte> payload = stackalloc byte[8];
        BinaryPrimitives.WriteInt64BigEndian(payload, opaque);
        Output.PrependPing(acknowledge: false, payload);
    }

    public void AnswerPing(ReadOnlySpan<byte> opaque)
    {
        Output.PrependPing(acknowledge: true, opaque);
        CheckQueuedAnswers();
    }

    /// <summary>Counts a reset as an answer to the peer; those that this side's application wants are none. On the read loop.</summary>
    public void CountAnswer()
    {
        Output.CountAnswer();
        CheckQueuedAnswers();
    }

    /// <summary>Ends the connection of a peer that makes work and does not read the answers. On the read loop.</summary>
    public void CheckQueuedAnswers()
    {
        if (Output.QueuedAnswers > options.MaxQueuedControlFrames)
        {
            throw new Http2ConnectionException(
                Http2ErrorCode.EnhanceYourCalm,
                $"More than {options.MaxQueuedControlFrames} answers wait for a peer that does not read (MaxQueuedControlFrames).");
        }
    }
}
