using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;

namespace Weir.AspNetCore.Transport;

/// <summary>Accepts connections on one bound socket until it is unbound.</summary>
internal sealed class SocketListener(Socket socket) : IConnectionListener
{
    private long _lastId;

    public EndPoint EndPoint { get; } = socket.LocalEndPoint!;

    public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default)
    {
        while (true)
        {
            try
            {
                var accepted = await socket.AcceptAsync(cancellationToken).ConfigureAwait(false);
                if (accepted.LocalEndPoint is IPEndPoint)
                    accepted.NoDelay = true;
                return new SocketConnection(accepted, $"{EndPoint}#{++_lastId}");
            }
            catch (Exception e) when (e is ObjectDisposedException || (e is SocketException { SocketErrorCode: SocketError.OperationAborted }))
            {
                return null; // unbound
            }
            catch (SocketException)
            {
                // The client was gone before it was accepted; the next one is waited for.
            }
        }
    }

    public ValueTask UnbindAsync(CancellationToken cancellationToken = default)
    {
        socket.Dispose();
        return ValueTask.CompletedTask;
    }

    public ValueTask DisposeAsync()
    {
        socket.Dispose();
        return ValueTask.CompletedTask;
    }
}
