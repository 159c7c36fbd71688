using System.Diagnostics;
using System.Threading.Tasks.Sources;
using Weir.Http2;
using Weir.Http2.Turns;

namespace Weir.Rpc.Protocol;

/// <summary>
/// The messages that a call receives, to be enumerated once. While messages are buffered, MoveNextAsync takes them without waiting; a wait
/// costs no allocation. A wait ends when a whole message is there, so its reader is woken once for each, however many frames carry it.
/// </summary>
/// <remarks>
/// The read side of the stream has one user at a time, told by <see cref="_state"/>: the enumerating task (Idle), nobody (Waiting), or whoever
/// ends the wait (Inspecting: the connection's read loop). Only a successful exchange from Waiting takes it over.
/// </remarks>
internal sealed class IncomingMessages<T> : TurnItem, IAsyncEnumerable<T>, IAsyncEnumerator<T>, IValueTaskSource<bool>
{
    private const int Idle = 0;
    private const int Waiting = 1;
    private const int Inspecting = 2;

    private readonly IMessageOwner _owner;
    private readonly bool _single;
    private MessageReader<T, StreamSource> _reader;
    private ManualResetValueTaskSourceCore<bool> _wait; // completed in Run, like the continuations that it runs
    private CancellationTokenRegistration _registration;
    private CancellationToken _enumerationToken;
    private Http2Stream? _stream;
    private T? _current;
    private int _state;
    private int _enumerated;
    private bool _ended;

    /// <summary>Creates the messages of a call. With <paramref name="single"/> there is to be one, which is waited for together with what follows it, the end
    /// if all is well: its reader is woken once, for both.</summary>
    public IncomingMessages(IMessageOwner owner, Marshaller<T> marshaller, int maxMessageBytes, bool single)
    {
        _owner = owner;
        _single = single;
        _reader = new MessageReader<T, StreamSource>(marshaller, maxMessageBytes, owner);
    }

    /// <inheritdoc/>
    public T Current => _current!;

    /// <summary>Names the stream to read from, also a second time when the call is tried again before anything was received.</summary>
    public void Attach(Http2Stream stream)
    {
        Volatile.Write(ref _stream, stream);
        OnReadable();
    }

    /// <inheritdoc/>
    public IAsyncEnumerator<T> GetAsyncEnumerator(CancellationToken cancellationToken = default)
    {
        if (Interlocked.Exchange(ref _enumerated, 1) != 0)
        {
            throw new InvalidOperationException("The messages of a call can be enumerated once.");
        }

        if (cancellationToken.CanBeCanceled)
        {
            _enumerationToken = cancellationToken;
            _registration = cancellationToken.UnsafeRegister(static state => ((IncomingMessages<T>)state!).Wake(), this);
        }

        return this;
    }

    /// <inheritdoc/>
    public ValueTask<bool> MoveNextAsync()
    {
        try
        {
            if (_reader.TryTake(out var message))
            {
                _current = message;
                return new ValueTask<bool>(true);
            }
        }
        catch (Exception error)
        {
            return ValueTask.FromException<bool>(FailParsing(error));
        }

        return WaitForNext();
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        _registration.Unregister();
        if (!_ended)
        {
            _ended = true;
            _owner.LeaveReading();
        }

        _current = default;
        if (Interlocked.CompareExchange(ref _state, Inspecting, Idle) == Idle) // else a MoveNextAsync is pending, and may still use the reader
        {
            _reader.Release();
            Volatile.Write(ref _state, Idle);
        }

        return default;
    }

    /// <summary>The wait that the stream armed is over: finds out on the connection's read loop whether that is worth waking the reader.</summary>
    public void OnReadable()
    {
        if (Interlocked.CompareExchange(ref _state, Inspecting, Waiting) != Waiting)
        {
            return;
        }

        do
        {
            if (IsStopped || PullNext() != Availability.NeedMore)
            {
                EndWait();
                return;
            }
        }
        while (!TryArm(Inspecting));
    }

    /// <summary>Ends a pending wait because reading has stopped, and the reader then asks its owner why, or because the input is all there.</summary>
    public void Wake()
    {
        if (Interlocked.CompareExchange(ref _state, Inspecting, Waiting) != Waiting)
        {
            return;
        }

        EndWait();
    }

    bool IValueTaskSource<bool>.GetResult(short token)
    {
        _wait.GetResult(token);
        if (!IsStopped && TryTakeNext())
        {
            return true;
        }

        if (IsStopped)
        {
            return End();
        }

        var found = PullNext();
        return found == Availability.Message ? TakePulled() : Close(found);
    }

    ValueTaskSourceStatus IValueTaskSource<bool>.GetStatus(short token) => _wait.GetStatus(token);

    void IValueTaskSource<bool>.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _wait.OnCompleted(continuation, state, token, flags);

    /// <summary>Wakes the reader.</summary>
    protected override void Run() => _wait.SetResult(true);

    private bool IsStopped => _owner.IsStopped || _enumerationToken.IsCancellationRequested;

    /// <summary>Has the reader woken. This object is the work item: nothing is allocated.</summary>
    private void EndWait()
    {
        Volatile.Write(ref _state, Idle);
        Queue();
    }

    private ValueTask<bool> WaitForNext()
    {
        try
        {
            while (true)
            {
                if (_ended || IsStopped)
                {
                    return new ValueTask<bool>(End());
                }

                var found = PullNext();
                if (found == Availability.Message)
                {
                    return new ValueTask<bool>(TakePulled());
                }

                if (found != Availability.NeedMore)
                {
                    return new ValueTask<bool>(Close(found));
                }

                _wait.Reset();
                if (TryArm(Idle))
                {
                    return new ValueTask<bool>(this, _wait.Version);
                }
            }
        }
        catch (Exception error)
        {
            return ValueTask.FromException<bool>(error);
        }
    }

    /// <summary>Lets go of the read side until something happens. False when it already has: the caller has the read side again, in <paramref name="state"/>.</summary>
    private bool TryArm(int state)
    {
        var stream = _stream;
        Interlocked.Exchange(ref _state, Waiting);
        if (!IsStopped)
        {
            // Without a stream, Attach ends the wait. A stream that was aborted with its input incomplete is followed by OnAborted, with
            // which the owner either stops the reading or attaches another stream.
            var waits = stream is null
                ? Volatile.Read(ref _stream) is null
                : stream.WaitForData(_reader.WantedBytes) || (stream.Abort is not null && !stream.IsInputCompleted && stream == Volatile.Read(ref _stream));
            if (waits && !IsStopped)
            {
                return true;
            }
        }

        return Interlocked.CompareExchange(ref _state, state, Waiting) != Waiting;
    }

    private Availability PullNext()
    {
        return Volatile.Read(ref _stream) is { } stream ? _reader.Pull(new StreamSource(stream), _single) : Availability.NeedMore;
    }

    private bool TakePulled()
    {
        var taken = TryTakeNext();
        Debug.Assert(taken, "Pull has shown a message");
        return taken;
    }

    private bool TryTakeNext()
    {
        try
        {
            if (!_reader.TryTake(out var message))
            {
                return false;
            }

            _current = message;
            return true;
        }
        catch (Exception error)
        {
            throw FailParsing(error);
        }
    }

    private bool Close(Availability found)
    {
        if (found == Availability.End)
        {
            return End();
        }

        _ended = true;
        var failure = found switch
        {
            Availability.Failed => _reader.Failure,
            Availability.Surplus => _owner.SurplusFailure,
            _ => new Status(StatusCode.Internal, "the input ended without its end"),
        };
        throw _owner.FailReading(failure, null);
    }

    private bool End()
    {
        _ended = true;
        _current = default;
        _registration.Unregister();
        if (!_owner.IsStopped && _enumerationToken.IsCancellationRequested)
        {
            throw _owner.CancelReading(_enumerationToken);
        }

        return _owner.GetEndOfMessages() is { } error ? throw error : false;
    }

    private Exception FailParsing(Exception error)
    {
        _ended = true;
        return _owner.FailReading(new Status(StatusCode.Internal, $"a received message cannot be parsed: {error.Message}"), error);
    }
}
