using System.Collections.Concurrent;
using System.Threading.Tasks.Sources;
using Weir.Http2.Turns;

namespace Weir.Http2;

/// <summary>One payload that waits for room, and the task its sender awaits. Reused: the sender's await gives it back to its pool.
/// All but the awaiting is guarded by the connection's lock.</summary>
internal sealed class PendingSend : TurnItem, IValueTaskSource
{
    private readonly Pool _pool;
    private ManualResetValueTaskSourceCore<bool> _completion; // completed in Run
    private byte[] _payload = [];
    private int _offset;
    private int _length;
    private CancellationTokenRegistration _cancellation;
    private Exception? _failure;

    private PendingSend(Pool pool) => _pool = pool;

    /// <summary>The next payload of the same stream.</summary>
    public PendingSend? Follower { get; set; }

    public Http2Stream Stream { get; private set; } = null!;

    public bool HasStarted => _offset > 0;

    public ReadOnlySpan<byte> Left => _payload.AsSpan(_offset, _length - _offset);

    /// <summary>Counts octets as queued for writing; true when the payload is through.</summary>
    public bool Advance(int bytes)
    {
        _offset += bytes;
        return _offset == _length;
    }

    public void Complete() => Queue();

    public void Fail(Exception exception)
    {
        _failure = exception;
        Queue();
    }

    /// <summary>The sender's await. Called outside the lock, once, after the payload was queued.</summary>
    public ValueTask WaitAsync(CancellationToken cancellationToken)
    {
        _cancellation = cancellationToken.UnsafeRegister(
            static (state, token) =>
            {
                var send = (PendingSend)state!;
                send.Stream.CancelPending(send, token);
            },
            this);
        return new ValueTask(this, _completion.Version);
    }

    /// <summary>Gives back one that was never queued.</summary>
    public void Discard() => _pool.Return(this);

    protected override void Run()
    {
        if (_failure is null)
        {
            _completion.SetResult(true);
        }
        else
        {
            _completion.SetException(_failure);
        }
    }

    void IValueTaskSource.GetResult(short token)
    {
        // Waits for a cancellation callback that runs right now, so that none can meet this object in its next use.
        _cancellation.Dispose();
        try
        {
            _completion.GetResult(token);
        }
        finally
        {
            _pool.Return(this);
        }
    }

    ValueTaskSourceStatus IValueTaskSource.GetStatus(short token) => _completion.GetStatus(token);

    void IValueTaskSource.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _completion.OnCompleted(continuation, state, token, flags);

    /// <summary>Keeps the objects of one connection for reuse. Safe from any thread.</summary>
    public sealed class Pool
    {
        private const int MostKept = 64;
        private readonly ConcurrentQueue<PendingSend> _kept = new();

        /// <summary>Takes an object whose payload is <paramref name="payload"/>, written into rented memory.</summary>
        public PendingSend Rent<TPayload>(Http2Stream stream, ref TPayload payload, int length)
            where TPayload : struct, IPayload
        {
            var array = OctetPool.Shared.Rent(length);
            try
            {
                payload.WriteTo(array.AsSpan(0, length));
            }
            catch
            {
                OctetPool.Shared.Return(array);
                throw;
            }

            if (!_kept.TryDequeue(out var send))
            {
                send = new PendingSend(this);
            }

            (send._payload, send._offset, send._length, send.Stream) = (array, 0, length, stream);
            return send;
        }

        public void Return(PendingSend send)
        {
            OctetPool.Shared.Return(send._payload);
            send._payload = [];
            send._completion.Reset();
            send._cancellation = default;
            send.Stream = null!;
            send.Follower = null;
            send._failure = null;
            if (_kept.Count < MostKept)
            {
                _kept.Enqueue(send);
            }
        }
    }
}
