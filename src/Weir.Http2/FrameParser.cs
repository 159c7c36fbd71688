using System.Diagnostics;

namespace Weir.Http2;

/// <summary>What a parser tells of the frames it meets. DATA comes in pieces as it arrives, every other frame whole.
/// A member that throws ends the connection: stream errors are dealt with by the sink itself.</summary>
internal interface IFrameSink
{
    /// <summary>A DATA frame begins; its whole length (padding included) counts against the windows.</summary>
    void OnDataStart(in FrameHeader header);

    /// <summary>Octets of the current DATA frame, padding excluded.</summary>
    void OnData(ReadOnlySpan<byte> data);

    /// <summary>The current DATA frame is complete.</summary>
    void OnDataEnd();

    /// <summary>Any other frame, payload as on the wire.</summary>
    void OnFrame(in FrameHeader header, ReadOnlySpan<byte> payload);
}

/// <summary>Cuts a stream of octets into frames. It takes all it is fed, however it is cut, and copies only frames other than DATA that
/// lie across two pieces. Owned by the read loop.</summary>
internal sealed class FrameParser(IFrameSink sink, int maxFrameBytes)
{
    private readonly byte[] _headerBytes = new byte[Http2Protocol.FrameHeaderBytes];
    private int _headerCount;
    private FrameHeader _header;
    private bool _inFrame;

    // Within a frame other than DATA: what has been gathered of a payload that came in pieces.
    private byte[]? _gathered;
    private int _gatheredCount;

    // Within a DATA frame: octets still to come of the data and of the padding after it; whether Pad Length is still to come.
    private int _dataLeft;
    private int _paddingLeft;
    private bool _padLengthPending;

    /// <summary>Parses everything in <paramref name="input"/>.</summary>
    /// <exception cref="Http2ConnectionException">A frame is larger than allowed, or its padding does not fit.</exception>
    public void Feed(ReadOnlySpan<byte> input)
    {
        while (true)
        {
            if (!_inFrame && !TryBegin(ref input))
            {
                return;
            }

            var done = _header.Type == FrameType.Data ? ContinueData(ref input) : ContinueOther(ref input);
            if (!done)
            {
                return;
            }

            _inFrame = false;
        }
    }

    /// <summary>Gives back what a half-received frame holds.</summary>
    public void Release()
    {
        if (_gathered is { } gathered)
        {
            _gathered = null;
            OctetPool.Shared.Return(gathered);
        }
    }

    private bool TryBegin(ref ReadOnlySpan<byte> input)
    {
        if (_headerCount == 0 && input.Length >= Http2Protocol.FrameHeaderBytes)
        {
            _header = FrameHeader.Read(input);
            input = input[Http2Protocol.FrameHeaderBytes..];
        }
        else
        {
            var take = Math.Min(input.Length, Http2Protocol.FrameHeaderBytes - _headerCount);
            input[..take].CopyTo(_headerBytes.AsSpan(_headerCount));
            input = input[take..];
            _headerCount += take;
            if (_headerCount < Http2Protocol.FrameHeaderBytes)
            {
                return false;
            }

            _headerCount = 0;
            _header = FrameHeader.Read(_headerBytes);
        }

        if (_header.Length > maxFrameBytes)
        {
            // RFC 9113 §4.2
            throw new Http2ConnectionException(
                Http2ErrorCode.FrameSizeError, $"A frame of {_header.Length} octets came; the limit is {maxFrameBytes}.");
        }

        _inFrame = true;
        if (_header.Type == FrameType.Data)
        {
            _dataLeft = _header.Length;
            _paddingLeft = 0;
            _padLengthPending = _header.Has(FrameFlags.Padded);
            if (_padLengthPending && _header.Length == 0)
            {
                throw PaddingTooLong(0, 0);
            }

            sink.OnDataStart(_header);
        }

        return true;
    }

    private bool ContinueData(ref ReadOnlySpan<byte> input)
    {
        if (_padLengthPending)
        {
            if (input.IsEmpty)
            {
                return false;
            }

            _padLengthPending = false;
            _paddingLeft = input[0];
            _dataLeft -= 1 + _paddingLeft;
            if (_dataLeft < 0)
            {
                throw PaddingTooLong(_paddingLeft, _header.Length);
            }

            input = input[1..];
        }

        var data = Math.Min(_dataLeft, input.Length);
        if (data > 0)
        {
            sink.OnData(input[..data]);
            input = input[data..];
            _dataLeft -= data;
        }

        if (_dataLeft > 0)
        {
            return false;
        }

        var padding = Math.Min(_paddingLeft, input.Length);
        input = input[padding..];
        _paddingLeft -= padding;
        if (_paddingLeft > 0)
        {
            return false;
        }

        sink.OnDataEnd();
        return true;
    }

    private bool ContinueOther(ref ReadOnlySpan<byte> input)
    {
        if (_gathered is null && input.Length >= _header.Length)
        {
            var payload = input[.._header.Length];
            input = input[_header.Length..];
            sink.OnFrame(_header, payload);
            return true;
        }

        _gathered ??= OctetPool.Shared.Rent(_header.Length);
        var take = Math.Min(input.Length, _header.Length - _gatheredCount);
        input[..take].CopyTo(_gathered.AsSpan(_gatheredCount));
        input = input[take..];
        _gatheredCount += take;
        Debug.Assert(_gatheredCount <= _header.Length);
        if (_gatheredCount < _header.Length)
        {
            return false;
        }

        _gatheredCount = 0;
        sink.OnFrame(_header, _gathered.AsSpan(0, _header.Length));
        Release();
        return true;
    }

    // RFC 9113 §6.1: padding as long as the payload or longer is a connection error.
    internal static Http2ConnectionException PaddingTooLong(int padding, int length) => new(
        Http2ErrorCode.ProtocolError, $"A frame of {length} octets says it has {padding} octets of padding.");
}
