namespace Weir.Rpc.Channels;

/// <summary>The stream below TLS. Keeps the first octets that come during the handshake, to tell a server that does not speak TLS from one with which the
/// handshake fails: what TLS itself says of the former is that a frame is corrupted.</summary>
internal sealed class HandshakeStream(Stream inner) : Stream
{
    private readonly byte[] _first = new byte[5]; // a record's header (RFC 8446 §5.1); of a frame of HTTP/2, its length, type and flags
    private int _count;

    /// <summary>What is wrong with the server's answer, or null when it is TLS: then the error of the handshake tells what is wrong.</summary>
    public string? Explain()
    {
        if (_count == 0)
        {
            return "the server ended the connection without an answer to the TLS handshake: does it serve without TLS, and should the address begin with http?";
        }

        if (_first[0] is >= 0x14 and <= 0x18 && (_count == 1 || _first[1] == 3))
        {
            return null;
        }

        var what = _first.AsSpan(0, _count).StartsWith("HTTP/"u8) ? "in HTTP/1.x"
            : _count == _first.Length && _first[3] == 4 ? "in HTTP/2" // a server's first frame is SETTINGS (RFC 9113 §3.4)
            : "with something else";
        return $"the server answered the TLS handshake {what}: it serves without TLS, and the address should begin with http, or it is another port";
    }

    /// <inheritdoc/>
    public override bool CanRead => true;

    /// <inheritdoc/>
    public override bool CanSeek => false;

    /// <inheritdoc/>
    public override bool CanWrite => true;

    /// <inheritdoc/>
    public override long Length => throw new NotSupportedException();

    /// <inheritdoc/>
    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <inheritdoc/>
    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
        _count == _first.Length ? inner.ReadAsync(buffer, cancellationToken) : ReadFirstAsync(buffer, cancellationToken);

    /// <inheritdoc/>
    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    /// <inheritdoc/>
    public override int Read(byte[] buffer, int offset, int count) => inner.Read(buffer, offset, count);

    /// <inheritdoc/>
    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) => inner.WriteAsync(buffer, cancellationToken);

    /// <inheritdoc/>
    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        inner.WriteAsync(buffer, offset, count, cancellationToken);

    /// <inheritdoc/>
    public override void Write(byte[] buffer, int offset, int count) => inner.Write(buffer, offset, count);

    /// <inheritdoc/>
    public override void Flush() => inner.Flush();

    /// <inheritdoc/>
    public override Task FlushAsync(CancellationToken cancellationToken) => inner.FlushAsync(cancellationToken);

    /// <inheritdoc/>
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void SetLength(long value) => throw new NotSupportedException();

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            inner.Dispose();
        }

        base.Dispose(disposing);
    }

    private async ValueTask<int> ReadFirstAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        var read = await inner.ReadAsync(buffer, cancellationToken).ConfigureAwait(false);
        var kept = Math.Min(read, _first.Length - _count);
        buffer.Span[..kept].CopyTo(_first.AsSpan(_count));
        _count += kept;
        return read;
    }
}
