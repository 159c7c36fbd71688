using System.Buffers;
using System.Diagnostics;
using Weir.Http2.Hpack;

namespace Weir.Http2;

/// <summary>One HTTP/2 stream. The send side may be used by any number of tasks at once; the read side by one at a time; both sides at the same time.</summary>
public sealed class Http2Stream
{
    private readonly Http2Connection _connection;
    private readonly ReceiveBuffer _input = new();

    // What follows is guarded by the connection's lock.
    private PendingSend? _lastPending;
    private int _pendingCount;
    private HeaderField[]? _endAfterPending;

    internal Http2Stream(Http2Connection connection, int id, int sendWindowBytes, ReceiveWindow receiveWindow)
    {
        _connection = connection;
        Id = id;
        SendWindow = new SendWindow(sendWindowBytes);
        ReceiveWindow = receiveWindow;
    }

    /// <summary>The stream's identifier (odd: opened by the client).</summary>
    public int Id { get; }

    /// <summary>Why the stream ended early, or null.</summary>
    public Http2StreamAbort? Abort { get; private set; }

    /// <summary>Whether END_STREAM was received: the input's normal end (octets before it may still be buffered). Stays false when the stream ended early.</summary>
    public bool IsInputCompleted => _input.IsCompleted;

    /// <summary>Who is told about the stream; null on a server until its handler has said so. Set under the lock.</summary>
    internal IHttp2StreamListener? Listener { get; set; }

    internal SendWindow SendWindow;

    internal ReceiveWindow ReceiveWindow;

    internal PendingSend? FirstPending { get; private set; }

    internal bool IsScheduled { get; set; }

    // The links of the scheduler's queue.
    internal Http2Stream? NextScheduled { get; set; }

    internal Http2Stream? PreviousScheduled { get; set; }

    /// <summary>The write of which <see cref="ShareUsedBytes"/> tells how much this stream took.</summary>
    internal int ShareOfWrite { get; set; }

    internal int ShareUsedBytes { get; set; }

    /// <summary>What of that write is kept for this stream.</summary>
    internal int ReservedBytes { get; set; }

    /// <summary>END_STREAM was sent or waits behind pending sends.</summary>
    internal bool LocalEnding { get; private set; }

    internal bool LocalEnded { get; private set; }

    internal bool RemoteEnded { get; private set; }

    /// <summary>On a client: the final response headers have arrived, so that what follows are trailers.</summary>
    internal bool HasHeaders { get; set; }

    /// <summary>Octets that content-length still promises, or -1 (RFC 9113 §8.1.1).</summary>
    internal long PromisedBytes { get; set; } = -1;

    internal ReceiveBuffer Input => _input;

    /// <summary>Shows what has arrived: true with all buffered octets (at least <paramref name="minimum"/> and one), else false.
    /// The sequence is valid until the next <see cref="Consume"/>; more octets may arrive meanwhile and are seen by the next TryRead.</summary>
    public bool TryRead(int minimum, out ReadOnlySequence<byte> data) => _input.TryRead(minimum, out data);

    /// <summary>Gives back the first <paramref name="bytes"/> octets: their memory is reused and the peer's window grows again (in batches).</summary>
    /// <exception cref="ArgumentOutOfRangeException">More than are buffered.</exception>
    public void Consume(int bytes)
    {
        var consumed = _input.Consume(bytes);
        if (consumed > 0)
        {
            _connection.Consume(this, consumed);
        }
    }

    /// <summary>Arms one <see cref="IHttp2StreamListener.OnReadable"/> for when <paramref name="minimum"/> octets are buffered or the input has ended.
    /// Returns false, arming nothing, when that is already so or the stream is aborted.</summary>
    /// <remarks>Octets that are waited for do not hold back the peer: a wait for more than a few is given window as they arrive, so that
    /// <paramref name="minimum"/> may be more than any window. The caller bounds it, and with it the memory.</remarks>
    public bool WaitForData(int minimum)
    {
        var waits = _input.WaitFor(minimum, ahead: minimum > _connection.Options.LargestHeldWaitBytes, out var credit);
        if (credit > 0)
        {
            _connection.Consume(this, credit);
        }

        return waits;
    }

    /// <summary>Sends a header block at once: it never waits for a window. With <paramref name="endStream"/> it goes out behind the payloads sent before.
    /// No effect once the stream has ended.</summary>
    /// <exception cref="InvalidOperationException">This side's half has ended.</exception>
    /// <exception cref="ArgumentException">A field has a char above 255. Nothing was sent.</exception>
    public void SendHeaders(ReadOnlySpan<HeaderField> headers, bool endStream)
    {
        lock (_connection.Gate)
        {
            if (Abort is not null)
            {
                return;
            }

            ThrowIfEnding();
            if (endStream)
            {
                End(headers);
            }
            else
            {
                Debug.Assert(FirstPending is null);
                _connection.Frames.AppendHeaders(Id, headers, endStream: false);
            }
        }

        _connection.WakeFlush();
    }

    /// <summary>Sends a payload if there is room now; false when it would have to wait or other senders wait already.</summary>
    /// <exception cref="Http2StreamException">The stream has ended early.</exception>
    /// <exception cref="InvalidOperationException">This side's half has ended.</exception>
    public bool TrySend<TPayload>(TPayload payload)
        where TPayload : struct, IPayload => TryAppend(ref payload, payload.Length);

    /// <summary>Sends a payload, waiting while windows or the output's high-water mark are used up. Completed synchronously and without allocation when there is room.
    /// Completion means that the payload is queued for writing: it may be changed from then on.</summary>
    /// <exception cref="Http2StreamException">The stream has ended early.</exception>
    /// <exception cref="InvalidOperationException">This side's half has ended, or too many senders wait (<see cref="Http2Options.MaxWaitingSenders"/>).</exception>
    /// <exception cref="OperationCanceledException">The token fired before the first octet was queued.</exception>
    public ValueTask SendAsync<TPayload>(TPayload payload, CancellationToken cancellationToken = default)
        where TPayload : struct, IPayload
    {
        cancellationToken.ThrowIfCancellationRequested();
        var length = payload.Length;
        return TryAppend(ref payload, length) ? default : SendWhenRoomAsync(payload, length, cancellationToken);
    }

    /// <summary>Ends this side's half with an empty DATA frame that carries END_STREAM, after all sends made before. No effect once the stream has ended.</summary>
    /// <exception cref="InvalidOperationException">This side's half has ended.</exception>
    public void SendEndOfStream() => SendHeaders([], endStream: true);

    /// <summary>Says that the owner reads no more: what is buffered or still comes is discarded and counts as consumed.
    /// Every owner ends with this or with <see cref="Reset"/>, or octets that it left unread shrink the connection's window for good.</summary>
    public void CloseInput() => _connection.DiscardInput(this);

    /// <summary>Ends the stream now with RST_STREAM (nothing is sent once it has ended) and discards what is unread.
    /// Pending sends fail; OnAborted follows with Origin Local if the stream had not ended.</summary>
    public void Reset(Http2ErrorCode errorCode, string message)
    {
        _connection.ResetStream(this, new Http2StreamAbort(Http2AbortOrigin.Local, errorCode, message));
        CloseInput();
    }

    private bool TryAppend<TPayload>(ref TPayload payload, int length)
        where TPayload : struct, IPayload
    {
        try
        {
            lock (_connection.Gate)
            {
                ThrowIfEnded();
                if (FirstPending is not null || !_connection.Scheduler.TryAppend(this, ref payload, length))
                {
                    return false;
                }
            }
        }
        catch
        {
            // Rethrown from outside the lock, which is still held while a caller's exception filters look at what was thrown within it.
            throw;
        }

        _connection.WakeFlush();
        return true;
    }

    private ValueTask SendWhenRoomAsync<TPayload>(TPayload payload, int length, CancellationToken cancellationToken)
        where TPayload : struct, IPayload
    {
        var send = _connection.PendingSends.Rent(this, ref payload, length);
        try
        {
            Enqueue(send);
        }
        catch
        {
            send.Discard();
            throw;
        }

        _connection.WakeFlush();
        return send.WaitAsync(cancellationToken);
    }

    private void Enqueue(PendingSend send)
    {
        lock (_connection.Gate)
        {
            ThrowIfEnded();
            var most = _connection.Options.MaxWaitingSenders;
            if (_pendingCount == most)
            {
                throw new InvalidOperationException($"{_pendingCount + 1} senders would wait on one stream; the limit is {most} (MaxWaitingSenders). Await each send.");
            }

            _pendingCount++;
            if (_lastPending is null)
            {
                FirstPending = _lastPending = send;
            }
            else
            {
                _lastPending.Follower = send;
                _lastPending = send;
            }

            _connection.Scheduler.Schedule(this);
            _connection.Scheduler.Pump();
        }
    }

    /// <summary>A sender's token fired: its payload leaves the queue unless its first octets are under way.</summary>
    internal void CancelPending(PendingSend send, CancellationToken token)
    {
        lock (_connection.Gate)
        {
            if (send.HasStarted)
            {
                return;
            }

            PendingSend? before = null;
            for (var at = FirstPending; at != send; at = at.Follower)
            {
                if (at is null)
                {
                    return;
                }

                before = at;
            }

            if (before is null)
            {
                FirstPending = send.Follower;
            }
            else
            {
                before.Follower = send.Follower;
            }

            _lastPending = _lastPending == send ? before : _lastPending;
            _pendingCount--;
            send.Fail(new OperationCanceledException(token));
            OnPendingChanged();
        }

        _connection.WakeFlush();
    }

    // The rest is called under the connection's lock.
    internal void RemoveFirstPending()
    {
        var first = FirstPending!;
        FirstPending = first.Follower;
        _lastPending = FirstPending is null ? null : _lastPending;
        _pendingCount--;
        OnPendingChanged();
    }

    internal void MarkRemoteEnded()
    {
        RemoteEnded = true;
        RemoveIfEnded();
    }

    /// <summary>Ends the stream early: pending sends fail and what is buffered is dropped, unless the peer had ended its half normally.
    /// Returns the octets dropped.</summary>
    internal long EndEarly(Http2StreamAbort abort)
    {
        Abort = abort;
        _connection.Scheduler.Remove(this);
        var exception = FirstPending is null ? null : new Http2StreamException(abort);
        for (var send = FirstPending; send is not null;)
        {
            // Completing hands the object back for reuse, so its successor is taken first.
            var next = send.Follower;
            send.Fail(exception!);
            send = next;
        }

        FirstPending = _lastPending = null;
        _pendingCount = 0;
        return _input.Abort();
    }

    private void OnPendingChanged()
    {
        if (FirstPending is null)
        {
            _connection.Scheduler.Remove(this);
            if (_endAfterPending is { } trailers)
            {
                _endAfterPending = null;
                SendEnd(trailers);
            }
        }
    }

    private void End(ReadOnlySpan<HeaderField> trailers)
    {
        if (FirstPending is null)
        {
            SendEnd(trailers);
        }
        else
        {
            HpackEncoder.Check(trailers); // now, when the caller can be told
            _endAfterPending = trailers.ToArray();
            LocalEnding = true;
        }
    }

    private void SendEnd(ReadOnlySpan<HeaderField> trailers)
    {
        if (trailers.IsEmpty)
        {
            _connection.Frames.AppendEndOfStream(Id);
        }
        else
        {
            _connection.Frames.AppendHeaders(Id, trailers, endStream: true);
        }

        MarkLocalEnded();
    }

    internal void MarkLocalEnded()
    {
        LocalEnding = LocalEnded = true;
        RemoveIfEnded();
    }

    private void RemoveIfEnded()
    {
        if (LocalEnded && RemoteEnded)
        {
            _connection.RemoveStream(this, StreamEnd.Normal);
        }
    }

    private void ThrowIfEnded()
    {
        if (Abort is { } abort)
        {
            throw new Http2StreamException(abort);
        }

        ThrowIfEnding();
    }

    private void ThrowIfEnding()
    {
        if (LocalEnding)
        {
            throw new InvalidOperationException($"Stream {Id} has ended its sending half; nothing more can be sent on it.");
        }
    }
}
