using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using Weir.Http2.Transport.Polling;

namespace Weir.Http2.Transport;

/// <summary>A connected stream socket as a duplex pipe, without a buffer or a task between the socket and its user: a read receives into one
/// contiguous array, and <see cref="PipeWriter.WriteAsync"/> sends the caller's memory as it is.</summary>
/// <remarks>Each end is for one user at a time, as every pipe's; both at once is fine. The socket is disposed when both ends are completed.</remarks>
public sealed class SocketPipe : IDuplexPipe
{
    private readonly IStreamSocket _socket;
    private int _openEnds = 2;

    /// <summary>Takes over a connected socket. On Linux it is best one that no asynchronous operation was begun on: the runtime would go on watching it.</summary>
    public SocketPipe(Socket socket)
        : this(PolledStreamSocket.IsSupported ? new PolledStreamSocket(socket) : new RuntimeStreamSocket(socket))
    {
    }

    private SocketPipe(IStreamSocket socket)
    {
        _socket = socket;
        Input = new SocketPipeReader(socket, EndClosed);
        Output = new SocketPipeWriter(socket, EndClosed);
    }

    /// <summary>What the peer sends. Completed by the peer's orderly end; a reset or any other fault throws IOException.</summary>
    public PipeReader Input { get; }

    /// <summary>What is sent to the peer. Completing it shuts the sending direction down.</summary>
    public PipeWriter Output { get; }

    /// <summary>Connects a new socket and takes it over; it is disposed when that fails.</summary>
    /// <exception cref="SocketException">There is no connection.</exception>
    /// <exception cref="OperationCanceledException">The token fired first.</exception>
    public static async ValueTask<SocketPipe> ConnectAsync(Socket socket, EndPoint endPoint, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(socket);
        ArgumentNullException.ThrowIfNull(endPoint);
        try
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (PolledStreamSocket.IsSupported && endPoint is IPEndPoint or UnixDomainSocketEndPoint)
            {
                return new SocketPipe(await PolledStreamSocket.ConnectAsync(socket, endPoint, cancellationToken).ConfigureAwait(false));
            }

            await socket.ConnectAsync(endPoint, cancellationToken).ConfigureAwait(false);
            return new SocketPipe(socket);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private void EndClosed()
    {
        if (Interlocked.Decrement(ref _openEnds) == 0)
        {
            _socket.Dispose();
        }
    }
}
