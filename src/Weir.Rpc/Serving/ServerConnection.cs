using System.IO.Pipelines;
using Weir.Http2;

namespace Weir.Rpc.Serving;

/// <summary>One connection of a server, with its calls.</summary>
#pragma warning disable CA1001 // a CancellationTokenSource without a timer holds nothing to dispose of, and its token may outlive the connection
internal sealed class ServerConnection : IHttp2ServerHandler
#pragma warning restore CA1001
{
    private readonly MethodTable _methods;
    private readonly Http2Connection _http2;
    private readonly TaskCompletionSource _allEnded = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Lock _lock = new();
    private readonly CancellationTokenSource _draining = new();
    private Task _drainCallbacks = Task.CompletedTask; // under _lock
    private Task _drain = Task.CompletedTask;
    private readonly HeldCalls _held;
    private int _saidRefusal;
    private int _running = 1; // calls whose work has not ended, and the connection itself

    public ServerConnection(RpcServer server, MethodTable methods, IDuplexPipe transport, string peer, ClientIdentity? clientIdentity)
    {
        Server = server;
        Peer = peer;
        ClientIdentity = clientIdentity;
        _methods = methods;
        _held = new HeldCalls(server.Options.TimeProvider);
        _http2 = Http2Connection.CreateServer(transport, this, server.Options.Http2);
        _http2.DrainBegun += TellDraining;
        Completion = Task.CompletedTask;
    }

    /// <summary>The connection's server.</summary>
    public RpcServer Server { get; }

    /// <summary>The client's address.</summary>
    public string Peer { get; }

    /// <summary>Who the client showed itself to be.</summary>
    public ClientIdentity? ClientIdentity { get; }

    /// <summary>Fires when the server is going to stop, or this connection is as old as it may get.</summary>
    public CancellationToken Draining => _draining.Token;

    /// <summary>After <see cref="Start"/>: completes when the connection has ended and all its calls have ended.</summary>
    public Task Completion { get; private set; }

    // A client that opens and resets calls in a hurry has no more streams open than the limit, but handlers that are not through yet:
    // so many calls may be running in all. On a busy machine a handler needs some milliseconds to end, in which an honest client that
    // cancels many calls opens hundreds: those above the limit are held until others have ended, and refused only after a while. Reading goes on
    // meanwhile, since the windows and resets that let others end come over the same connection.
    private int MostRunning => (int)Math.Min(int.MaxValue, 10L * Server.Options.Http2.MaxConcurrentStreams);

    /// <summary>Starts the connection's loops.</summary>
    public void Start() => Completion = RunAsync(_http2.RunAsync());

    /// <summary>No new calls; open ones go on. Called once.</summary>
    public void BeginDrain()
    {
        TellDraining();
        _drain = DrainAsync();
    }

    /// <summary>Closes the connection, which cancels its calls.</summary>
    public void Abort(string reason) => _http2.Close(Http2ErrorCode.NoError, reason);

    /// <inheritdoc/>
    public IHttp2StreamListener OnRequest(Http2Stream stream, ReadOnlySpan<HeaderField> headers, bool endStream)
    {
        var head = RequestHead.Parse(headers, Server.Compressions);
        if (head.HttpRefusal is { } httpStatus)
        {
            return RefusedStream.RefuseHttp(stream, httpStatus);
        }

        if (head.Refusal is { } refusal)
        {
            return RefusedStream.Refuse(stream, refusal, Server.Compressions.AcceptEncoding);
        }

        if (_methods.Find(head.Path) is not { } method)
        {
            return RefusedStream.Refuse(stream, _methods.Explain(head.Path), Server.Compressions.AcceptEncoding);
        }

        var call = method.CreateCall(this, stream, head);
        if (_held.IsEmpty && TryReserve())
        {
            call.Start();
        }
        else
        {
            call.Hold(_held);
            RunHeld(); // others may have ended meanwhile
        }

        return call;
    }

    /// <summary>A call's work has ended.</summary>
    public void OnCallEnded()
    {
        if (Interlocked.Decrement(ref _running) == 0)
        {
            _allEnded.TrySetResult();
        }

        RunHeld();
    }

    /// <summary>A call was held for too long, and is refused.</summary>
    public void OnRefused()
    {
        if (Interlocked.Exchange(ref _saidRefusal, 1) == 0) // a client that goes on must not fill the log
        {
            RpcLog.CallRefused(Server.Logger, Peer, MostRunning, MostRunning);
        }
    }

    /// <summary>Counts a call as running, if one more may run.</summary>
    private bool TryReserve()
    {
        var running = Volatile.Read(ref _running);
        while (running <= MostRunning)
        {
            var seen = Interlocked.CompareExchange(ref _running, running + 1, running);
            if (seen == running)
            {
                return true;
            }

            running = seen;
        }

        return false;
    }

    // Whoever adds a call and whoever makes room both come here, after they did so: one of them sees the other's.
    private void RunHeld()
    {
        while (!_held.IsEmpty && TryReserve())
        {
            if (_held.TakeFirst() is { } call)
            {
                call.RunHeld();
            }
            else
            {
                Interlocked.Decrement(ref _running); // the connection itself counts: this is not the last
            }
        }
    }

    private async Task RunAsync(Task loops)
    {
        await loops.ConfigureAwait(false);
        RpcLog.ServerConnectionEnded(Server.Logger, Peer, _http2.CloseReason);
        OnCallEnded();
        await _allEnded.Task.ConfigureAwait(false);
        await _drain.ConfigureAwait(false);
        await AwaitDrainCallbacksAsync().ConfigureAwait(false);
    }

    private void TellDraining()
    {
        lock (_lock)
        {
            if (!_draining.IsCancellationRequested)
            {
                _drainCallbacks = _draining.CancelAsync(); // callbacks run on the pool
            }
        }
    }

    private async ValueTask AwaitDrainCallbacksAsync()
    {
        Task callbacks;
        lock (_lock)
        {
            callbacks = _drainCallbacks;
        }

        try
        {
            await callbacks.ConfigureAwait(false);
        }
        catch (Exception error) // what a callback of the application throws
        {
            RpcLog.DrainCallbackFailed(Server.Logger, error);
        }
    }

    private async Task DrainAsync()
    {
        // GOAWAY must not come before this side's SETTINGS; before the client's there are no calls.
        await _http2.Ready.ConfigureAwait(false);
        _http2.BeginDrain();
    }
}
