using System.Buffers;

namespace Weir.Rpc.Compression;

/// <summary>Octets to read, or a buffer to write to, as the stream that the framework's compressors want beneath them.</summary>
/// <remarks>
/// The framework takes input that is cut off for its end. So reading beyond the input throws: a decompressor that has seen the end of its
/// data does not. One of gzip looks for a further member then: it is to find one octet that begins none.
/// Nor does the framework say what it leaves unread. A decompressor of gzip asks for that octet only when it has used up all before it; to others the
/// last octet is given alone, which they ask for only when their data has not ended yet.
/// </remarks>
internal sealed class BufferStream : Stream
{
    // Nor can it be the octet that was cut off, the last of gzip's length: messages are shorter than 4 GiB - 16 MiB.
    private const byte NoMember = 0xff;

    private readonly IBufferWriter<byte>? _output;
    private ReadOnlySequence<byte> _rest;
    private bool _looksForMember;

    /// <summary>Creates a stream to read from.</summary>
    public BufferStream(in ReadOnlySequence<byte> input, bool looksForMember)
    {
        _rest = input;
        _looksForMember = looksForMember;
    }

    /// <summary>Creates a stream to write to.</summary>
    public BufferStream(IBufferWriter<byte> output) => _output = output;

    /// <summary>Whether the data that was read ended where the input does.</summary>
    public bool IsUsedUp => _rest.IsEmpty && !_looksForMember;

    /// <inheritdoc/>
    public override bool CanRead => _output is null;

    /// <inheritdoc/>
    public override bool CanWrite => _output is not null;

    /// <inheritdoc/>
    public override bool CanSeek => false;

    /// <inheritdoc/>
    public override long Length => throw new NotSupportedException();

    /// <inheritdoc/>
    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    /// <inheritdoc/>
    public override int Read(Span<byte> buffer)
    {
        if (_rest.IsEmpty && buffer.Length > 0)
        {
            if (!_looksForMember)
            {
                throw new InvalidDataException("the data is incomplete");
            }

            _looksForMember = false;
            buffer[0] = NoMember;
            return 1;
        }

        var most = _looksForMember || _rest.Length <= 1 ? _rest.Length : _rest.Length - 1;
        var count = (int)Math.Min(buffer.Length, most);
        _rest.Slice(0, count).CopyTo(buffer);
        _rest = _rest.Slice(count);
        return count;
    }

    /// <inheritdoc/>
    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    /// <inheritdoc/>
    public override void Write(ReadOnlySpan<byte> buffer) => _output!.Write(buffer);

    /// <inheritdoc/>
    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    /// <inheritdoc/>
    public override void Flush()
    {
    }

    /// <inheritdoc/>
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void SetLength(long value) => throw new NotSupportedException();
}
