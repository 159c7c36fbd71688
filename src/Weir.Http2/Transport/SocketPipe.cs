using System.IO.Pipelines;
using System.Net.Sockets;

namespace Weir.Http2.Transport;

/// <summary>A connected stream socket as a duplex pipe, without a buffer or a task between the socket and its user: a read receives into one
/// contiguous array, and <see cref="PipeWriter.WriteAsync"/> sends the caller's memory as it is.</summary>
/// <remarks>Each end is for one user at a time, as every pipe's; both at once is fine. The socket is disposed when both ends are completed.</remarks>
public sealed class SocketPipe : IDuplexPipe
{
    private readonly Socket _socket;
    private int _openEnds = 2;

    /// <summary>Takes over a connected socket.</summary>
    public SocketPipe(Socket socket)
    {
        _socket = socket;
        Input = new SocketPipeReader(socket, EndClosed);
        Output = new SocketPipeWriter(socket, EndClosed);
    }

    /// <summary>What the peer sends. Completed by the peer's orderly end; a reset or any other fault throws IOException.</summary>
    public PipeReader Input { get; }

    /// <summary>What is sent to the peer. Completing it shuts the sending direction down.</summary>
    public PipeWriter Output { get; }

    private void EndClosed()
    {
        if (Interlocked.Decrement(ref _openEnds) == 0)
        {
            _socket.Dispose();
        }
    }
}
