using System.Net.Sockets;
using System.Runtime.CompilerServices;

namespace Weir.Http2.Transport;

/// <summary>A socket that the runtime waits for: where there is no <see cref="Polling.PolledStreamSocket"/>.</summary>
internal sealed class RuntimeStreamSocket(Socket socket) : IStreamSocket
{
    private readonly PipeCancellation _receive = new();
    private readonly PipeCancellation _send = new();

    // The receive itself waits, with its buffer.
    public bool MayReceive => true;

    public ValueTask WaitToReceiveAsync() => default;

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<int> ReceiveAsync(Memory<byte> buffer)
    {
        if (_receive.TryTake())
        {
            return IStreamSocket.Cancelled;
        }

        try
        {
            return await socket.ReceiveAsync(buffer, SocketFlags.None, _receive.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (_receive.TryTake())
        {
            return IStreamSocket.Cancelled;
        }
        catch (SocketException e)
        {
            throw new IOException(e.Message, e);
        }
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<int> SendAsync(ReadOnlyMemory<byte> octets)
    {
        if (_send.TryTake())
        {
            return IStreamSocket.Cancelled;
        }

        try
        {
            return await socket.SendAsync(octets, SocketFlags.None, _send.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (_send.TryTake())
        {
            return IStreamSocket.Cancelled;
        }
        catch (SocketException e)
        {
            throw new IOException(e.Message, e);
        }
    }

    public bool TryTakeCancelledReceive() => _receive.TryTake();

    public void CancelReceive() => _receive.Request();

    public void CancelSend() => _send.Request();

    public void ShutdownSend()
    {
        try
        {
            socket.Shutdown(SocketShutdown.Send);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The connection is gone already: there is nobody to tell of the end.
        }
    }

    public void Dispose() => socket.Dispose();
}
