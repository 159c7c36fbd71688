using System.Buffers.Binary;
using System.Diagnostics;
using System.Numerics;

namespace Weir.Http2;

/// <summary>What the flush loop takes to write: control frames first, then the rest in order. The arrays are rented.</summary>
internal readonly record struct OutputBatch(byte[] Array, int Offset, int Length, byte[]? Control, int ControlLength)
{
    public ReadOnlyMemory<byte> Memory => Array.AsMemory(Offset, Length);

    public void Return()
    {
        OctetPool.Shared.Return(Array);
        if (Control is not null)
        {
            OctetPool.Shared.Return(Control);
        }
    }
}

/// <summary>Gathers frames between two writes. Consecutive payloads of one stream share a DATA frame; PING acknowledgements and
/// WINDOW_UPDATE go ahead of everything else. Guarded by the connection's lock; does no I/O.</summary>
internal sealed class OutputBuffer
{
    // Room before the first frame, so that the usual few control frames leave in the same write without moving anything.
    private const int HeadroomBytes = 512;
    private const int SmallestArrayBytes = 4096;

    private byte[] _array = [];
    private int _end = HeadroomBytes;
    private byte[]? _control;
    private int _controlLength;
    private int _startBytes = SmallestArrayBytes;
    private bool _begun;

    // The DATA frame that the next payload of the same stream may join; 0 when the last frame is not one.
    private int _openStreamId;
    private int _openFrame;

    /// <summary>Octets gathered, control frames ahead of them not counted.</summary>
    public int Length => _end - HeadroomBytes;

    public bool IsEmpty => _end == HeadroomBytes && _controlLength == 0;

    /// <summary>Answers to the peer's frames gathered since the last take.</summary>
    public int QueuedAnswers { get; private set; }

    /// <summary>Octets that a payload takes with its frame headers, at most.</summary>
    public static int WithFrames(int payloadBytes, int maxFrameBytes) =>
        payloadBytes + (Http2Protocol.FrameHeaderBytes * (1 + ((payloadBytes - 1) / maxFrameBytes)));

    /// <summary>Lets a payload write itself into the stream's open DATA frame, or into new ones. If the payload throws, nothing has changed.</summary>
    public void AppendData<TPayload>(int streamId, ref TPayload payload, int length, int maxFrameBytes)
        where TPayload : struct, IPayload
    {
        if (_openStreamId == streamId)
        {
            var openLength = _end - _openFrame - Http2Protocol.FrameHeaderBytes;
            if (openLength + length <= maxFrameBytes)
            {
                Ensure(length);
                payload.WriteTo(_array.AsSpan(_end, length));
                _end += length;
                SetLength(_openFrame, openLength + length);
                return;
            }
        }

        var frames = length <= maxFrameBytes ? 1 : ((length - 1) / maxFrameBytes) + 1;
        var headers = frames * Http2Protocol.FrameHeaderBytes;
        Ensure(headers + length);

        // The payload is written in one piece behind all the headers' room, then the pieces before the last move down to their frames.
        var source = _end + headers;
        payload.WriteTo(_array.AsSpan(source, length));
        for (var left = length; ;)
        {
            var piece = Math.Min(left, maxFrameBytes);
            FrameHeader.Write(_array.AsSpan(_end), piece, FrameType.Data, FrameFlags.None, streamId);
            _openFrame = _end;
            _end += Http2Protocol.FrameHeaderBytes;
            if (source != _end)
            {
                Buffer.BlockCopy(_array, source, _array, _end, piece);
            }

            _end += piece;
            source += piece;
            left -= piece;
            if (left == 0)
            {
                break;
            }
        }

        _openStreamId = streamId;
    }

    /// <summary>Appends one frame with a payload of at most the peer's frame size, in order.</summary>
    public void AppendFrame(FrameType type, FrameFlags flags, int streamId, ReadOnlySpan<byte> payload)
    {
        Ensure(Http2Protocol.FrameHeaderBytes + payload.Length);
        FrameHeader.Write(_array.AsSpan(_end), payload.Length, type, flags, streamId);
        payload.CopyTo(_array.AsSpan(_end + Http2Protocol.FrameHeaderBytes));
        _end += Http2Protocol.FrameHeaderBytes + payload.Length;
        _openStreamId = 0;
    }

    /// <summary>Appends a frame that answers one of the peer's, in order, and counts it against the limit of queued control frames.</summary>
    public void AppendAnswer(FrameType type, FrameFlags flags, int streamId, ReadOnlySpan<byte> payload)
    {
        AppendFrame(type, flags, streamId, payload);
        CountAnswer();
    }

    /// <summary>Counts a frame that was appended against the limit of queued control frames.</summary>
    public void CountAnswer() => QueuedAnswers++;

    /// <summary>Appends octets that are no frame: the client's preface.</summary>
    public void AppendRaw(ReadOnlySpan<byte> octets)
    {
        Ensure(octets.Length);
        octets.CopyTo(_array.AsSpan(_end));
        _end += octets.Length;
        _openStreamId = 0;
    }

    /// <summary>Puts WINDOW_UPDATE ahead of all other frames (RFC 9113 §6.9).</summary>
    public void PrependWindowUpdate(int streamId, int increment)
    {
        Span<byte> payload = stackalloc byte[4];
        BinaryPrimitives.WriteInt32BigEndian(payload, increment);
        Prepend(FrameType.WindowUpdate, FrameFlags.None, streamId, payload);
        QueuedAnswers++;
    }

    /// <summary>Puts PING ahead of all other frames (RFC 9113 §6.7: its answers should have priority).</summary>
    public void PrependPing(bool acknowledge, ReadOnlySpan<byte> opaque)
    {
        Prepend(FrameType.Ping, acknowledge ? FrameFlags.Ack : FrameFlags.None, 0, opaque);
        QueuedAnswers += acknowledge ? 1 : 0;
    }

    /// <summary>Takes all that is gathered; false when there is nothing.</summary>
    public bool TryTake(out OutputBatch batch)
    {
        if (IsEmpty)
        {
            batch = default;
            return false;
        }

        Ensure(0);
        _begun = true;
        var offset = HeadroomBytes;
        byte[]? spill = null;
        var spillLength = 0;
        if (_controlLength > HeadroomBytes)
        {
            (spill, spillLength, _control) = (_control, _controlLength, null);
        }
        else if (_controlLength > 0)
        {
            offset -= _controlLength;
            _control.AsSpan(0, _controlLength).CopyTo(_array.AsSpan(offset));
        }

        batch = new OutputBatch(_array, offset, _end - offset, spill, spillLength);

        // The next array starts at the size this one grew to, and halves while that is not used: bursts leave no large arrays behind.
        _startBytes = Math.Max(SmallestArrayBytes, Math.Max(_end, _startBytes / 2));
        _array = [];
        _end = HeadroomBytes;
        _controlLength = 0;
        _openStreamId = 0;
        QueuedAnswers = 0;
        return true;
    }

    /// <summary>Drops what is gathered and gives back the memory.</summary>
    public void Release()
    {
        if (TryTake(out var batch))
        {
            batch.Return();
        }

        if (_control is not null)
        {
            OctetPool.Shared.Return(_control);
            _control = null;
        }
    }

    private void Prepend(FrameType type, FrameFlags flags, int streamId, ReadOnlySpan<byte> payload)
    {
        if (!_begun)
        {
            // The first write begins with the preface and SETTINGS (RFC 9113 §3.4): nothing goes ahead of them.
            AppendFrame(type, flags, streamId, payload);
            return;
        }

        var frame = ReserveControl(Http2Protocol.FrameHeaderBytes + payload.Length);
        FrameHeader.Write(frame, payload.Length, type, flags, streamId);
        payload.CopyTo(frame[Http2Protocol.FrameHeaderBytes..]);
    }

    private Span<byte> ReserveControl(int bytes)
    {
        if (_control is null || _control.Length < _controlLength + bytes)
        {
            var larger = OctetPool.Shared.Rent(Math.Max(HeadroomBytes, 2 * (_controlLength + bytes)));
            if (_control is not null)
            {
                _control.AsSpan(0, _controlLength).CopyTo(larger);
                OctetPool.Shared.Return(_control);
            }

            _control = larger;
        }

        var frame = _control.AsSpan(_controlLength, bytes);
        _controlLength += bytes;
        return frame;
    }

    private void Ensure(int bytes)
    {
        var needed = _end + bytes;
        if (needed > _array.Length || _array.Length == 0)
        {
            // In doublings, whatever the pool has between: the next write is seldom as long as the last, and growing copies.
            var least = Math.Max(_array.Length == 0 ? _startBytes : 2 * _array.Length, needed);
            var larger = OctetPool.Shared.Rent((int)BitOperations.RoundUpToPowerOf2((uint)least));
            if (_array.Length > 0)
            {
                Buffer.BlockCopy(_array, HeadroomBytes, larger, HeadroomBytes, Length);
                OctetPool.Shared.Return(_array);
            }

            _array = larger;
        }
    }

    private void SetLength(int frame, int length)
    {
        Debug.Assert(length is >= 0 and <= Http2Protocol.LargestMaxFrameBytes);
        _array[frame] = (byte)(length >> 16);
        BinaryPrimitives.WriteUInt16BigEndian(_array.AsSpan(frame + 1), (ushort)length);
    }
}
