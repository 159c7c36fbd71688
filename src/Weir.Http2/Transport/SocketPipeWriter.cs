using System.Buffers;
using System.IO.Pipelines;
using System.Net.Sockets;
using System.Runtime.CompilerServices;

namespace Weir.Http2.Transport;

/// <summary>Sends what is written at once when it comes in one piece, or what was gathered through GetMemory at the flush.</summary>
internal sealed class SocketPipeWriter(Socket socket, Action closed) : PipeWriter
{
    private const int SmallestBufferBytes = 4 * 1024;

    private readonly PipeCancellation _cancellation = new();
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
            var larger = ArrayPool<byte>.Shared.Rent(Math.Max(Math.Max(SmallestBufferBytes, 2 * _buffer.Length), needed));
            _buffer.AsSpan(0, _length).CopyTo(larger);
            Return();
            _buffer = larger;
        }

        return _buffer.AsMemory(_length);
    }

    public override Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;

    public override void CancelPendingFlush() => _cancellation.Request();

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
        try
        {
            socket.Shutdown(SocketShutdown.Send);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The connection is gone already: there is nobody to tell of the end.
        }

        closed();
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<FlushResult> SendAsync(ReadOnlyMemory<byte> source, CancellationToken cancellationToken)
    {
        if (_cancellation.TryTake())
        {
            return new FlushResult(isCanceled: true, isCompleted: false);
        }

        using var registration = cancellationToken.UnsafeRegister(static state => ((PipeCancellation)state!).Request(), _cancellation);
        try
        {
            while (!source.IsEmpty)
            {
                var sent = await socket.SendAsync(source, SocketFlags.None, _cancellation.Token).ConfigureAwait(false);
                source = source[sent..];
            }
        }
        catch (OperationCanceledException) when (_cancellation.TryTake())
        {
            cancellationToken.ThrowIfCancellationRequested();
            return new FlushResult(isCanceled: true, isCompleted: false);
        }
        catch (SocketException e)
        {
            throw new IOException(e.Message, e);
        }

        return default;
    }

    private void Return()
    {
        if (_buffer.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(_buffer);
            _buffer = [];
        }
    }
}
