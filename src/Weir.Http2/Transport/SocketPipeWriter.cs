using System.IO.Pipelines;
using System.Runtime.CompilerServices;

namespace Weir.Http2.Transport;

/// <summary>Sends what is written at once when it comes in one piece, or what was gathered through GetMemory at the flush; holds an array only between those.</summary>
internal sealed class SocketPipeWriter(IStreamSocket socket, Action closed) : PipeWriter
{
    private const int SmallestBufferBytes = 4 * 1024;

    private byte[] _buffer = [];
    private int _length;
    private bool _completed;

    public override bool CanGetUnflushedBytes => true;

    public override long UnflushedBytes => _length;

    public override void Advance(int bytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(bytes);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(bytes, _buffer.Length - _length);
        _length += bytes;
    }

    public override Memory<byte> GetMemory(int sizeHint = 0)
    {
        if (_completed)
        {
            throw new InvalidOperationException("The writer is completed; nothing more can be written.");
        }

        var needed = _length + Math.Max(sizeHint, 1);
        if (needed > _buffer.Length)
        {
            var larger = OctetPool.Shared.Rent(Math.Max(Math.Max(SmallestBufferBytes, 2 * _buffer.Length), needed));
            _buffer.AsSpan(0, _length).CopyTo(larger);
            Return();
            _buffer = larger;
        }

        return _buffer.AsMemory(_length);
    }

    public override Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;

    public override void CancelPendingFlush() => socket.CancelSend();

    public override ValueTask<FlushResult> WriteAsync(ReadOnlyMemory<byte> source, CancellationToken cancellationToken = default)
    {
        if (_length == 0 && !_completed)
        {
            return SendAsync(source, cancellationToken);
        }

        // Part is gathered already: it goes first, in the same send.
        source.Span.CopyTo(GetSpan(source.Length));
        _length += source.Length;
        return FlushAsync(cancellationToken);
    }

    public override async ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default)
    {
        var result = await SendAsync(_buffer.AsMemory(0, _length), cancellationToken).ConfigureAwait(false);
        _length = 0;
        Return();
        return result;
    }

    public override void Complete(Exception? exception = null)
    {
        if (_completed)
        {
            return;
        }

        _completed = true;
        Return();
        socket.ShutdownSend();
        closed();
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<FlushResult> SendAsync(ReadOnlyMemory<byte> source, CancellationToken cancellationToken)
    {
        using var registration = cancellationToken.UnsafeRegister(static state => ((IStreamSocket)state!).CancelSend(), socket);
        while (!source.IsEmpty)
        {
            var sent = await socket.SendAsync(source).ConfigureAwait(false);
            if (sent == IStreamSocket.Cancelled)
            {
                cancellationToken.ThrowIfCancellationRequested();
                return new FlushResult(isCanceled: true, isCompleted: false);
            }

            source = source[sent..];
        }

        return default;
    }

    private void Return()
    {
        if (_buffer.Length > 0)
        {
            OctetPool.Shared.Return(_buffer);
            _buffer = [];
        }
    }
}
