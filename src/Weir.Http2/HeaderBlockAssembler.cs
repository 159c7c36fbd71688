using System.Buffers;
using Weir.Http2.Hpack;

namespace Weir.Http2;

/// <summary>Joins a HEADERS frame with its CONTINUATION frames and decodes the block (RFC 9113 §4.3, §6.2, §6.10). Owned by the read loop.</summary>
internal sealed class HeaderBlockAssembler(Http2Options options)
{
    private readonly HpackDecoder _decoder = new(Http2Protocol.DefaultHeaderTableBytes, options.MaxHeaderListBytes);
    private readonly List<HeaderField> _fields = [];
    private readonly ArrayBufferWriter<byte> _joined = new();
    private int _continuations;

    /// <summary>The stream whose block is open: only CONTINUATION of this stream may follow (§6.10); 0 when none is.</summary>
    public int OpenStreamId { get; private set; }

    /// <summary>Whether the open or last block carries END_STREAM.</summary>
    public bool EndStream { get; private set; }

    /// <summary>The decoded fields of the last complete block.</summary>
    public ReadOnlySpan<HeaderField> Fields => System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_fields);

    /// <summary>Whether the last complete block was larger than allowed; <see cref="Fields"/> is then not whole.</summary>
    public bool IsTooLarge { get; private set; }

    /// <summary>The peer has seen our SETTINGS: its encoder keeps to the table size they allow from its next block on (§4.3.1).</summary>
    public void SettingsAcknowledged() => _decoder.MaxTableBytes = options.HeaderTableBytes;

    /// <summary>Takes a HEADERS frame; true when the block is complete with it.</summary>
    public bool Begin(in FrameHeader header, ReadOnlySpan<byte> payload)
    {
        var fragment = StripPaddingAndPriority(header, payload);
        EndStream = header.Has(FrameFlags.EndStream);
        if (header.Has(FrameFlags.EndHeaders))
        {
            Decode(fragment);
            return true;
        }

        OpenStreamId = header.StreamId;
        _continuations = 0;
        Join(fragment);
        return false;
    }

    /// <summary>Takes a CONTINUATION frame; true when the block is complete with it.</summary>
    public bool Continue(in FrameHeader header, ReadOnlySpan<byte> payload)
    {
        if (++_continuations > options.MaxContinuationFrames)
        {
            throw new Http2ConnectionException(
                Http2ErrorCode.EnhanceYourCalm, $"A header block came in more than {options.MaxContinuationFrames} CONTINUATION frames.");
        }

        Join(payload);
        if (!header.Has(FrameFlags.EndHeaders))
        {
            return false;
        }

        OpenStreamId = 0;
        Decode(_joined.WrittenSpan);
        _joined.ResetWrittenCount();
        return true;
    }

    private void Join(ReadOnlySpan<byte> fragment)
    {
        // A block that is larger compressed than it may be plain is no header block anybody needs.
        if (_joined.WrittenCount + fragment.Length > options.MaxHeaderListBytes + Http2Protocol.DefaultMaxFrameBytes)
        {
            throw new Http2ConnectionException(
                Http2ErrorCode.EnhanceYourCalm,
                $"A header block has more than {options.MaxHeaderListBytes + Http2Protocol.DefaultMaxFrameBytes} octets before decoding.");
        }

        _joined.Write(fragment);
    }

    private void Decode(ReadOnlySpan<byte> block)
    {
        _fields.Clear();
        try
        {
            IsTooLarge = !_decoder.Decode(block, _fields);
        }
        catch (HpackException e)
        {
            // RFC 9113 §4.3: the shared state is lost, so the connection is.
            throw new Http2ConnectionException(Http2ErrorCode.CompressionError, e.Message);
        }
    }

    private static ReadOnlySpan<byte> StripPaddingAndPriority(in FrameHeader header, ReadOnlySpan<byte> payload)
    {
        var padding = 0;
        if (header.Has(FrameFlags.Padded))
        {
            if (payload.IsEmpty)
            {
                throw FrameParser.PaddingTooLong(0, 0);
            }

            padding = payload[0];
            payload = payload[1..];
        }

        if (header.Has(FrameFlags.Priority))
        {
            if (payload.Length < 5)
            {
                throw new Http2ConnectionException(
                    Http2ErrorCode.FrameSizeError, $"HEADERS with priority came with {header.Length} octets, too few for its fields.");
            }

            payload = payload[5..];
        }

        return padding <= payload.Length ? payload[..^padding] : throw FrameParser.PaddingTooLong(padding, header.Length);
    }
}
