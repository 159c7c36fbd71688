using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;

namespace Weir.Http2.Transport;

/// <summary>Receives into one rented array: small while little comes, larger while reads fill it, none while nothing comes.</summary>
internal sealed class SocketPipeReader(IStreamSocket socket, Action closed) : PipeReader
{
    private const int SmallestBufferBytes = 4 * 1024;
    private const int LargestBufferBytes = 128 * 1024;

    private byte[] _buffer = [];
    private int _start;
    private int _end;
    private int _nextBufferBytes = SmallestBufferBytes;
    private bool _allExamined = true;
    private bool _ended;
    private bool _completed;

    /// <summary>The size of the array that is held now.</summary>
    public int HeldBytes => _buffer.Length;

    public override bool TryRead(out ReadResult result)
    {
        ThrowIfCompleted();
        if (_ended || !_allExamined)
        {
            result = Result(canceled: socket.TryTakeCancelledReceive());
            return true;
        }

        result = default;
        return false;
    }

    public override ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default)
    {
        if (TryRead(out var result))
        {
            return new ValueTask<ReadResult>(result);
        }

        return cancellationToken.CanBeCanceled ? ReceiveOrCancelAsync(cancellationToken) : ReceiveAsync();
    }

    public override void AdvanceTo(SequencePosition consumed) => AdvanceTo(consumed, consumed);

    public override void AdvanceTo(SequencePosition consumed, SequencePosition examined)
    {
        // Positions in a sequence of one array are offsets into it.
        _start = consumed.GetInteger();
        _allExamined = examined.GetInteger() >= _end;
        if (_start == _end)
        {
            _start = _end = 0;
        }
    }

    public override void CancelPendingRead() => socket.CancelReceive();

    public override void Complete(Exception? exception = null)
    {
        if (_completed)
        {
            return;
        }

        _completed = true;
        Return();
        closed();
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<ReadResult> ReceiveAsync()
    {
        if (!socket.MayReceive)
        {
            await WaitAsync().ConfigureAwait(false);
        }

        int count;
        while (true)
        {
            MakeRoom();
            count = await socket.ReceiveAsync(_buffer.AsMemory(_end)).ConfigureAwait(false);
            if (count != IStreamSocket.NotYet)
            {
                break;
            }

            await WaitAsync().ConfigureAwait(false);
        }

        return count == IStreamSocket.Cancelled ? Result(canceled: true) : Received(count);
    }

    // Most connections are idle most of the time: those hold no array.
    private ValueTask WaitAsync()
    {
        if (_start == _end)
        {
            Return();
            _start = _end = 0;
        }

        return socket.WaitToReceiveAsync();
    }

    private async ValueTask<ReadResult> ReceiveOrCancelAsync(CancellationToken cancellationToken)
    {
        using (cancellationToken.UnsafeRegister(static state => ((IStreamSocket)state!).CancelReceive(), socket))
        {
            var result = await ReceiveAsync().ConfigureAwait(false);
            return result.IsCanceled && cancellationToken.IsCancellationRequested ? throw new OperationCanceledException(cancellationToken) : result;
        }
    }

    private ReadResult Received(int count)
    {
        var room = _buffer.Length - _end;
        _end += count;
        _ended = count == 0;
        _allExamined = false;
        if (count == room)
        {
            _nextBufferBytes = Math.Min(2 * _buffer.Length, LargestBufferBytes);
        }
        else if (count < _buffer.Length / 8)
        {
            _nextBufferBytes = Math.Max(_buffer.Length / 2, SmallestBufferBytes);
        }

        return Result(canceled: false);
    }

    private ReadResult Result(bool canceled) =>
        new(new ReadOnlySequence<byte>(_buffer, _start, _end - _start), canceled, _ended);

    private void MakeRoom()
    {
        if (_start == _end)
        {
            _start = _end = 0;
            if (_buffer.Length != _nextBufferBytes)
            {
                Return();
                _buffer = OctetPool.Shared.Rent(_nextBufferBytes);
                _nextBufferBytes = _buffer.Length;
            }
        }
        else if (_end == _buffer.Length)
        {
            // Unconsumed octets fill the array: they move to the front, or to a larger array when they are the whole of it.
            var left = _buffer.AsSpan(_start, _end - _start);
            if (_start >= _buffer.Length / 2)
            {
                left.CopyTo(_buffer);
            }
            else
            {
                var larger = OctetPool.Shared.Rent(2 * _buffer.Length);
                left.CopyTo(larger);
                OctetPool.Shared.Return(_buffer);
                _buffer = larger;
            }

            (_start, _end) = (0, _end - _start);
        }
    }

    private void Return()
    {
        if (_buffer.Length > 0)
        {
            OctetPool.Shared.Return(_buffer);
            _buffer = [];
        }
    }

    private void ThrowIfCompleted()
    {
        if (_completed)
        {
            throw new InvalidOperationException("The reader is completed; nothing more can be read.");
        }
    }
}
