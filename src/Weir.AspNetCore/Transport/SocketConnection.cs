using System.IO.Pipelines;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Weir.Http2.Transport;

namespace Weir.AspNetCore.Transport;

/// <summary>One accepted connection. It reads when it is asked to, which suits HTTP/2; for HTTP/1.1 it is told to read ahead, because Kestrel
/// expects its transport to notice a client that leaves while a request is handled.</summary>
internal sealed class SocketConnection : DefaultConnectionContext, IConnectionSocketFeature
{
    private readonly SocketPipe _pipe;
    private readonly CancellationTokenSource _closed = new();
    private ReadAhead? _readAhead;

    public SocketConnection(Socket socket, string id)
        : base(id)
    {
        Socket = socket;
        _pipe = new SocketPipe(socket);
        Transport = _pipe;
        LocalEndPoint = socket.LocalEndPoint;
        RemoteEndPoint = socket.RemoteEndPoint;
        ConnectionClosed = _closed.Token;
        Features.Set<IConnectionSocketFeature>(this);
    }

    public Socket Socket { get; }

    /// <summary>Reads ahead from now on, what has been looked at and not consumed included, and fires ConnectionClosed when the client leaves.
    /// No effect once something (TLS) stands between the connection and its user.</summary>
    public void BeginReadAhead()
    {
        if (Transport != _pipe)
            return;
        _readAhead = new ReadAhead(_pipe.Input, _closed);
        Transport = new Duplex(_readAhead.Input, _pipe.Output);
    }

    public override void Abort(ConnectionAbortedException abortReason)
    {
        // Closing fails whatever waits on the socket; the pipes' users end, and dispose the rest.
        Socket.Close(timeout: 0);
        _pipe.Input.CancelPendingRead();
        _pipe.Output.CancelPendingFlush();
        ThreadPool.UnsafeQueueUserWorkItem(static closed => closed.Cancel(), _closed, preferLocal: false);
    }

    public override async ValueTask DisposeAsync()
    {
        if (_readAhead is { } readAhead)
            await readAhead.StopAsync().ConfigureAwait(false);
        await _pipe.Output.CompleteAsync().ConfigureAwait(false);
        await _pipe.Input.CompleteAsync().ConfigureAwait(false);
        await _closed.CancelAsync().ConfigureAwait(false);
        await base.DisposeAsync().ConfigureAwait(false);
    }

    private sealed record Duplex(PipeReader Input, PipeWriter Output) : IDuplexPipe;
}
