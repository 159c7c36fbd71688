using System.IO.Pipelines;

namespace Weir.Http2;

/// <summary>One HTTP/2 connection over a duplex pipe. All members may be called from any thread.</summary>
/// <remarks>Wiring plus two loops: <see cref="ReadLoop"/> feeds <see cref="FrameReceiver"/>, <see cref="FlushLoop"/> writes what was gathered.
/// Everything they share is guarded by one short lock, <see cref="Gate"/>; listeners are called outside it.</remarks>
public sealed class Http2Connection : IAsyncDisposable
{
    private readonly IDuplexPipe _transport;
    private readonly FrameReceiver _receiver;
    private readonly ReadLoop _readLoop;
    private readonly FlushLoop _flushLoop;
    private readonly TaskCompletionSource<bool> _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationTokenSource _draining = new();
    private readonly ConnectionAge _age;
    private readonly Lock _runLock = new();
    private Task? _run;

    // Guarded by Gate.
    private readonly GoAwayExchange _goAway = new();
    private bool _closed;
    private bool _slotWanted;
    private volatile string? _farewell; // why the peer went away, if with an error
    private int _nextStreamId = 1;

    private Http2Connection(IDuplexPipe transport, IHttp2ServerHandler? handler, Http2Options options, TimeSpan? keepAliveTime = null)
    {
        _transport = transport;
        ServerHandler = handler;
        Options = options;
        Peer = new PeerSettings(ofServer: handler is null);
        Frames = new FrameWriter(options, IsServer);
        Credit = new ReceiveCredit(options, Frames.Output);
        Scheduler = new SendScheduler(Frames.Output, options.OutputHighWaterBytes);
        _flushLoop = new FlushLoop(Gate, Frames.Output, Scheduler, transport.Output);
        _receiver = new FrameReceiver(this, options);
        _readLoop = new ReadLoop(transport.Input, _receiver);
        SentPings = new PingLedger(options.TimeProvider);
        Clock = new ConnectionClock(this, options);
        _age = new ConnectionAge(this, options);
        KeepAlive = new KeepAlive(this, options, keepAliveTime);
        Frames.AppendPreface();
    }

    /// <summary>Called on a pool thread when a stream slot became free after <see cref="TryOpenStream"/> returned null for the limit.</summary>
    public event Action? StreamSlotFreed;

    /// <summary>Called once when this side begins to leave: by <see cref="BeginDrain"/>, or at its <see cref="Http2Options.MaxConnectionAge"/>. Must not throw.</summary>
    public event Action? DrainBegun;

    /// <summary>Completes when the peer's SETTINGS have arrived (true), or the connection ended before that (false).</summary>
    public Task<bool> Ready => _ready.Task;

    /// <summary>Fires when the connection takes no new streams: GOAWAY sent or received, or closed. Fired on a pool thread.</summary>
    public CancellationToken Draining => _draining.Token;

    /// <summary>Why the connection ended: one sentence, or null while it runs.</summary>
    public string? CloseReason { get; private set; }

    /// <summary>Streams that are open now.</summary>
    public int ActiveStreams
    {
        get
        {
            lock (Gate)
            {
                return Streams.Count;
            }
        }
    }

    /// <summary>How many streams the peer lets this side have open at once (int.MaxValue when it has set no limit).</summary>
    public int PeerMaxConcurrentStreams
    {
        get
        {
            lock (Gate)
            {
                return Peer.MaxConcurrentStreams;
            }
        }
    }

    /// <summary>How long nothing may come from the peer before it is sent a PING: the options' <see cref="Http2Options.KeepAliveTime"/>, or longer on a
    /// client whose server has had too many. <see cref="Timeout.InfiniteTimeSpan"/>: for ever.</summary>
    public TimeSpan KeepAliveTime => KeepAlive.Time;

    /// <summary>How long no stream has been open; zero while one is.</summary>
    public TimeSpan IdleTime => IsIdle() ? Clock.IdleTime : TimeSpan.Zero;

    internal Lock Gate { get; } = new();

    internal bool IsServer => ServerHandler is not null;

    internal IHttp2ServerHandler? ServerHandler { get; }

    internal Http2Options Options { get; }

    internal FrameWriter Frames { get; }

    internal ReceiveCredit Credit { get; }

    internal SendScheduler Scheduler { get; }

    internal StreamTable Streams { get; } = new();

    internal PeerSettings Peer { get; }

    internal ConnectionClock Clock { get; }

    internal KeepAlive KeepAlive { get; }

    internal PingLedger SentPings { get; }

    internal PendingSend.Pool PendingSends { get; } = new();

    /// <summary>Creates the client's end; nothing is sent before <see cref="RunAsync"/>.</summary>
    /// <param name="transport">The connection, from its first octet.</param>
    /// <param name="options">Its settings and limits. Default: the defaults.</param>
    /// <param name="keepAliveTime">Instead of the options' <see cref="Http2Options.KeepAliveTime"/>. Default: the options'.</param>
    public static Http2Connection CreateClient(IDuplexPipe transport, Http2Options? options = null, TimeSpan? keepAliveTime = null) =>
        new(transport, null, options ?? new Http2Options(), keepAliveTime);

    /// <summary>Creates the server's end, whose requests go to <paramref name="handler"/>.</summary>
    public static Http2Connection CreateServer(IDuplexPipe transport, IHttp2ServerHandler handler, Http2Options? options = null) =>
        new(transport, handler, options ?? new Http2Options());

    /// <summary>Runs the connection until it has ended and both loops have finished; later calls return the same task. Never fails:
    /// <see cref="CloseReason"/> tells why it ended.</summary>
    public Task RunAsync()
    {
        lock (_runLock)
        {
            // On the pool: the loops may call listeners at once, which may neither hold this lock nor find the task missing.
            return _run ??= Task.Run(RunOnceAsync);
        }
    }

    /// <summary>Opens a client stream and sends its headers. Null when the peer's stream limit is reached, twice the
    /// output's high-water mark waits to be written, or the connection takes no new streams.</summary>
    /// <param name="listener">Who is told about the stream.</param>
    /// <param name="headers">The request's fields, pseudo-headers first.</param>
    /// <param name="endStream">Whether the request has no body.</param>
    /// <param name="created">Runs before any callback can, under the connection's lock, so that the owner knows its stream.</param>
    /// <exception cref="ArgumentException">A field has a char above 255. Nothing was sent.</exception>
    public Http2Stream? TryOpenStream(IHttp2StreamListener listener, ReadOnlySpan<HeaderField> headers, bool endStream, Action<Http2Stream>? created = null)
    {
        Http2Stream stream;
        lock (Gate)
        {
            if (_closed || !_goAway.TakesNewStreams || _nextStreamId < 0)
            {
                return null;
            }

            // Opening and resetting does not wait for windows, so that the output it fills is a limit of its own.
            if (Streams.Count >= Peer.MaxConcurrentStreams || Frames.Output.Length >= 2 * Options.OutputHighWaterBytes)
            {
                _slotWanted = true;
                return null;
            }

            stream = new Http2Stream(this, _nextStreamId, Peer.InitialWindowBytes, Credit.OpenWindow()) { Listener = listener };
            Frames.AppendHeaders(stream.Id, headers, endStream);
            _nextStreamId = unchecked(_nextStreamId + 2);
            Streams.Add(stream);
            created?.Invoke(stream);
            if (endStream)
            {
                stream.MarkLocalEnded();
            }
        }

        WakeFlush();
        return stream;
    }

    /// <summary>Says GOAWAY gracefully: no new streams; open ones go on. The connection ends after the last of them.</summary>
    public void BeginDrain()
    {
        lock (Gate)
        {
            if (_closed || !_goAway.TryBegin())
            {
                return;
            }

            Credit.StopGrowth();

            // RFC 9113 §6.8: what a client sent before it saw the first GOAWAY is still served; the PING's answer tells when it has seen it.
            Frames.AppendGoAway(Http2Protocol.LargestStreamId, Http2ErrorCode.NoError, "draining");
            if (IsServer)
            {
                Frames.AppendPing(GoAwayExchange.DrainPing);
            }
            else
            {
                _goAway.TryFinish(0);
            }
        }

        DrainBegun?.Invoke();
        FireDraining();
        WakeFlush();
        CloseIfDrained();
    }

    /// <summary>Ends now: GOAWAY with <paramref name="errorCode"/>, every stream is aborted, the transport is closed.</summary>
    public void Close(Http2ErrorCode errorCode, string reason) => Close(errorCode, reason, Http2AbortOrigin.Local);

    /// <summary>Sends PING and completes with the round trip's time.</summary>
    /// <exception cref="IOException">The connection ended first.</exception>
    /// <exception cref="InvalidOperationException">Too many PINGs are under way.</exception>
    public async Task<TimeSpan> PingAsync(CancellationToken cancellationToken = default)
    {
        Task<TimeSpan> answer;
        lock (Gate)
        {
            if (_closed)
            {
                throw new IOException(CloseReason);
            }

            answer = SentPings.Add(out var opaque);
            Frames.PrependPing(opaque);
        }

        WakeFlush();
        return await answer.WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Closes with NO_ERROR and waits for the loops.</summary>
    public async ValueTask DisposeAsync()
    {
        Close(Http2ErrorCode.NoError, "The connection was disposed.");
        await RunAsync().ConfigureAwait(false);
    }

    /// <summary>Called outside the lock, after something was appended.</summary>
    internal void WakeFlush() => _flushLoop.Wake();

    /// <summary>Whether no stream is open. Used by the clock.</summary>
    internal bool IsIdle() => ActiveStreams == 0;

    /// <summary>Appends RST_STREAM and remembers the stream as reset by this side. Under the lock.</summary>
    internal void AppendReset(int streamId, Http2ErrorCode errorCode)
    {
        Frames.AppendReset(streamId, errorCode);
        Streams.Remember(streamId, StreamEnd.LocalReset);
    }

    /// <summary>Appends RST_STREAM in answer to a frame of the peer. Under the lock, on the read loop.</summary>
    internal void AppendResetAnswer(int streamId, Http2ErrorCode errorCode)
    {
        AppendReset(streamId, errorCode);
        Frames.CountAnswer();
    }

    /// <summary>Takes a request's stream into the table; null when it is refused. <paramref name="error"/> resets it instead.</summary>
    internal Http2Stream? AcceptStream(int streamId, Http2ErrorCode? error)
    {
        Http2Stream? stream = null;
        lock (Gate)
        {
            if (_closed || _goAway.IsFinal)
            {
                // §6.8: streams above the last one of GOAWAY are ignored, and so is what comes on them.
                Streams.Skip(streamId);
                Streams.Remember(streamId, StreamEnd.LocalReset);
                return null;
            }

            if (error is null && Streams.Count < Options.MaxConcurrentStreams)
            {
                stream = new Http2Stream(this, streamId, Peer.InitialWindowBytes, Credit.OpenWindow());
                Streams.Add(stream);
            }
            else
            {
                Streams.Skip(streamId);
                AppendResetAnswer(streamId, error ?? Http2ErrorCode.RefusedStream);
            }
        }

        if (stream is null)
        {
            WakeFlush();
        }

        return stream;
    }

    /// <summary>Tells a server's stream who listens, and the listener what it has missed.</summary>
    internal void Attach(Http2Stream stream, IHttp2StreamListener listener)
    {
        Http2StreamAbort? missed;
        lock (Gate)
        {
            stream.Listener = listener;
            missed = stream.Abort;
        }

        if (missed is not null)
        {
            listener.OnAborted(missed);
        }
    }

    /// <summary>Ends a stream early, on this side's or the peer's demand.</summary>
    internal void ResetStream(Http2Stream stream, Http2StreamAbort abort)
    {
        IHttp2StreamListener? listener;
        lock (Gate)
        {
            if (_closed || !EndEarly(stream, abort))
            {
                return;
            }

            if (abort.Origin == Http2AbortOrigin.Local)
            {
                AppendReset(stream.Id, abort.ErrorCode);
            }

            listener = stream.Listener;
        }

        WakeFlush();
        listener?.OnAborted(abort);
        CloseIfDrained();
    }

    /// <summary>Takes a stream that has ended out of the table. Under the lock.</summary>
    internal void RemoveStream(Http2Stream stream, StreamEnd end)
    {
        Streams.Remove(stream.Id, end);
        if (Streams.Count == 0)
        {
            Clock.BecomeIdle();
            if (_goAway.EndsWithLastStream)
            {
                // Closing calls out, so it may not happen under the lock.
                ThreadPool.UnsafeQueueUserWorkItem(static connection => connection.CloseIfDrained(), this, preferLocal: true);
            }
        }

        FreeSlotIfWanted();
    }

    /// <summary>Tells whoever could not open a stream that there may be room now. Under the lock.</summary>
    internal void FreeSlotIfWanted()
    {
        if (!_slotWanted || Streams.Count >= Peer.MaxConcurrentStreams)
        {
            return;
        }

        _slotWanted = false;
        if (StreamSlotFreed is { } freed)
        {
            ThreadPool.UnsafeQueueUserWorkItem(static action => action(), freed, preferLocal: true);
        }
    }

    /// <summary>Nobody reads the stream any more: its octets count as consumed.</summary>
    internal void DiscardInput(Http2Stream stream)
    {
        var dropped = (int)stream.Input.Discard();
        if (dropped > 0)
        {
            Consume(stream, dropped);
        }
    }

    /// <summary>Counts octets as consumed, on the connection and on <paramref name="stream"/> if it still counts; announces windows in batches.</summary>
    internal void Consume(Http2Stream? stream, int bytes)
    {
        lock (Gate)
        {
            Credit.Consume(stream, bytes);
        }

        WakeFlush();
    }

    /// <summary>Sends a PING whose answer nobody awaits.</summary>
    internal void SendPing(long opaque)
    {
        lock (Gate)
        {
            if (_closed)
            {
                return;
            }

            Frames.PrependPing(opaque);
        }

        WakeFlush();
    }

    /// <summary>The peer is not there any more.</summary>
    internal void Lose(string reason) => Close(Http2ErrorCode.NoError, reason, Http2AbortOrigin.ConnectionLost);

    /// <summary>The client has seen the first GOAWAY: says the last one. False when none was due.</summary>
    internal bool TryFinishDrain()
    {
        lock (Gate)
        {
            if (_closed || !_goAway.TryFinish(Streams.LastStreamId))
            {
                return false;
            }

            Frames.AppendGoAway(_goAway.LastStreamId, Http2ErrorCode.NoError, "draining");
        }

        WakeFlush();
        CloseIfDrained();
        return true;
    }

    /// <summary>The peer's first SETTINGS have come.</summary>
    internal void OnPeerReady()
    {
        Clock.PeerIsReady();
        _ready.TrySetResult(true);
    }

    internal void OnGoAway(int lastStreamId, Http2ErrorCode errorCode, string debugData)
    {
        var message = debugData.Length == 0 ? $"The peer is going away: {errorCode}." : $"The peer is going away: {errorCode}, {debugData}.";
        if (!IsServer && errorCode == Http2ErrorCode.EnhanceYourCalm && debugData == KeepAlive.TooManyPings)
        {
            message += KeepAlive.SlowDown();
        }

        var abort = new Http2StreamAbort(Http2AbortOrigin.PeerGoAway, errorCode, message, IsUnprocessed: true);
        List<Http2Stream> unprocessed = [];
        lock (Gate)
        {
            _goAway.PeerLeaves();
            Credit.StopGrowth();
            _farewell = errorCode == Http2ErrorCode.NoError ? _farewell : message;
            if (!IsServer)
            {
                unprocessed.AddRange(Streams.Open.Where(stream => stream.Id > lastStreamId));
                unprocessed.RemoveAll(stream => !EndEarly(stream, abort));
            }
        }

        foreach (var stream in unprocessed)
        {
            stream.Listener!.OnAborted(abort);
        }

        FireDraining();
        CloseIfDrained();
    }

    private async Task RunOnceAsync()
    {
        Clock.Start();
        _age.Start();
        KeepAlive.Start();
        var flush = WriteAllAsync();
        var linger = await ReadAllAsync().ConfigureAwait(false);

        // The flush loop leaves once everything gathered (GOAWAY last) is written; a peer that does not read gets no more time than this.
        using (var limit = new CancellationTokenSource(Options.CloseTimeout, Options.TimeProvider))
        {
            using (limit.Token.UnsafeRegister(static loop => ((FlushLoop)loop!).Abandon(), _flushLoop))
            {
                await flush.ConfigureAwait(false);
            }

            await _transport.Output.CompleteAsync().ConfigureAwait(false);
            if (linger)
            {
                await _readLoop.DiscardAsync(limit.Token).ConfigureAwait(false);
            }
        }

        await _transport.Input.CompleteAsync().ConfigureAwait(false);
        Clock.Dispose();
        _age.Dispose();
        KeepAlive.Dispose();
        _receiver.Release();
        lock (Gate)
        {
            Frames.Output.Release();
        }
    }

    /// <summary>Reads until the transport or the connection ends. True when the peer may still be sending.</summary>
    private async Task<bool> ReadAllAsync()
    {
        try
        {
            if (!await _readLoop.RunAsync().ConfigureAwait(false))
            {
                return true; // cancelled by Close
            }

            Lose(_farewell ?? "The peer closed the connection.");
        }
        catch (Http2ConnectionException e)
        {
            Close(e.ErrorCode, e.Message, Http2AbortOrigin.ConnectionLost);
            return true;
        }
        catch (Exception e)
        {
            // The edge of the loop: whatever the transport threw, the connection is lost and every stream is told.
            Lose(_farewell ?? $"The connection was lost: {e.Message}");
        }

        return false;
    }

    private async Task WriteAllAsync()
    {
        try
        {
            if (!await _flushLoop.RunAsync(FreeSlotIfWanted).ConfigureAwait(false))
            {
                Lose(_farewell ?? "The peer closed the connection.");
            }
        }
        catch (Exception e)
        {
            // The edge of the loop, as in the read loop.
            Lose(_farewell ?? $"The connection was lost: {e.Message}");
        }
    }

    private void Close(Http2ErrorCode errorCode, string reason, Http2AbortOrigin origin)
    {
        List<IHttp2StreamListener> listeners = [];
        var abort = new Http2StreamAbort(origin, errorCode, reason);
        lock (Gate)
        {
            if (_closed)
            {
                return;
            }

            foreach (var stream in Streams.Open.ToArray())
            {
                if (EndEarly(stream, abort) && stream.Listener is { } listener)
                {
                    listeners.Add(listener);
                }
            }

            Frames.AppendGoAway(Math.Min(_goAway.LastStreamId, Streams.LastStreamId), errorCode, reason); // never larger than said before (§6.8)
            Credit.Close();
            _flushLoop.Close();
            _closed = true;
            CloseReason = reason;
            SentPings.Fail(new IOException(reason));
        }

        foreach (var listener in listeners)
        {
            listener.OnAborted(abort);
        }

        _ready.TrySetResult(false);
        FireDraining();
        WakeFlush();
        _readLoop.Cancel();
    }

    private void CloseIfDrained()
    {
        lock (Gate)
        {
            if (_closed || Streams.Count > 0 || !_goAway.EndsWithLastStream)
            {
                return;
            }
        }

        Close(Http2ErrorCode.NoError, _goAway.EndReason);
    }

    // Under the lock: false when the stream has ended already.
    private bool EndEarly(Http2Stream stream, Http2StreamAbort abort)
    {
        if (stream.Abort is not null || (stream.LocalEnded && stream.RemoteEnded))
        {
            return false;
        }

        Credit.ConsumeOnConnection((int)stream.EndEarly(abort));
        RemoveStream(stream, abort.Origin == Http2AbortOrigin.PeerReset ? StreamEnd.PeerReset : StreamEnd.LocalReset);
        return true;
    }

    private void FireDraining() => ThreadPool.UnsafeQueueUserWorkItem(static source => source.Cancel(), _draining, preferLocal: true);
}
