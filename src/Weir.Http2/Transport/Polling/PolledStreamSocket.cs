using System.Net;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Weir.Http2.Turns;

namespace Weir.Http2.Transport.Polling;

/// <summary>A socket that a <see cref="Poller"/> waits for: what it brings is handled on the poller's own thread, with no thread woken in between.</summary>
internal sealed class PolledStreamSocket : IStreamSocket
{
    private readonly Socket _socket;
    private readonly SafeSocketHandle _handle;
    private readonly Poller _poller;
    private readonly int _id;
    private readonly Readiness _input = new();
    private readonly Readiness _output = new();
    private bool _receiveCancelled;
    private bool _sendCancelled;
    private bool _ending; // the peer has ended or the connection failed: there is more to find than octets
    private bool _drained; // the last receive took all there was

    /// <summary>Takes over a socket that is connected, or is about to be.</summary>
    public PolledStreamSocket(Socket socket)
    {
        _socket = socket;
        _handle = socket.SafeHandle;
        _poller = Poller.Next();
        _id = _poller.Add(_handle, this);
    }

    /// <summary>Whether sockets can be polled here.</summary>
    public static bool IsSupported { get; } = OperatingSystem.IsLinux() && !(AppContext.TryGetSwitch("Weir.Http2.UseRuntimeSockets", out var off) && off);

    /// <summary>Connects a new socket. Throws SocketException, or OperationCanceledException.</summary>
    public static async ValueTask<PolledStreamSocket> ConnectAsync(Socket socket, EndPoint endPoint, CancellationToken cancellationToken)
    {
        socket.Blocking = false;
        if (endPoint is IPEndPoint { AddressFamily: AddressFamily.InterNetwork } ip && socket.AddressFamily == AddressFamily.InterNetworkV6)
        {
            endPoint = new IPEndPoint(ip.Address.MapToIPv6(), ip.Port); // a socket for both families takes IPv4 in this form
        }

        var address = endPoint.Serialize();
        var done = Kernel.Connect(socket.SafeHandle, address.Buffer.Span, address.Size) == 0;
        var error = done ? 0 : Marshal.GetLastPInvokeError();
        if (!done && error != Kernel.InProgress)
        {
            throw new SocketException((int)ToSocketError(error), Marshal.GetPInvokeErrorMessage(error));
        }

        var polled = new PolledStreamSocket(socket);
        try
        {
            using (cancellationToken.UnsafeRegister(static polled => ((PolledStreamSocket)polled!).CancelSend(), polled))
            {
                while (!done)
                {
                    await polled._output.WaitAsync().ConfigureAwait(false);
                    cancellationToken.ThrowIfCancellationRequested();
                    done = socket.Poll(0, SelectMode.SelectWrite) || socket.Poll(0, SelectMode.SelectError);
                }
            }

            error = (int)socket.GetSocketOption(SocketOptionLevel.Socket, SocketOptionName.Error)!;
            return error == 0 ? polled : throw new SocketException(error);
        }
        catch
        {
            polled.Dispose();
            throw;
        }
    }

    /// <summary>Called by the poller: what the kernel says has changed. Adds whom it concerns to the chain.</summary>
    public void OnChange(uint flags, ref TurnChain ready)
    {
        if ((flags & (Kernel.Failed | Kernel.PeerEnded)) != 0)
        {
            Volatile.Write(ref _ending, true);
        }

        if ((flags & (Kernel.Readable | Kernel.PeerEnded | Kernel.Failed)) != 0 && _input.Signal())
        {
            ready.Add(_input);
        }

        if ((flags & (Kernel.Writable | Kernel.Failed)) != 0 && _output.Signal())
        {
            ready.Add(_output);
        }
    }

    // A receive that did not fill its buffer has taken all there was; the poller tells when there is more (epoll(7)).
    public bool MayReceive => !_drained || Volatile.Read(ref _ending) || Volatile.Read(ref _receiveCancelled);

    public ValueTask WaitToReceiveAsync()
    {
        _drained = false; // whatever ends the wait
        return _input.WaitAsync();
    }

    public ValueTask<int> ReceiveAsync(Memory<byte> buffer) => new(Receive(buffer.Span));

    public ValueTask<int> SendAsync(ReadOnlyMemory<byte> octets) =>
        TrySend(octets.Span, out var sent) ? new ValueTask<int>(sent) : SendWhenReadyAsync(octets);

    public bool TryTakeCancelledReceive() => Volatile.Read(ref _receiveCancelled) && Interlocked.Exchange(ref _receiveCancelled, false);

    public void CancelReceive()
    {
        Volatile.Write(ref _receiveCancelled, true);
        if (_input.Signal())
        {
            _input.Queue();
        }
    }

    public void CancelSend()
    {
        Volatile.Write(ref _sendCancelled, true);
        if (_output.Signal())
        {
            _output.Queue();
        }
    }

    public void ShutdownSend()
    {
        try
        {
            _socket.Shutdown(SocketShutdown.Send);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The connection is gone already: there is nobody to tell of the end.
        }
    }

    public void Dispose()
    {
        _poller.Remove(_id, _handle);
        _socket.Dispose();
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<int> SendWhenReadyAsync(ReadOnlyMemory<byte> octets)
    {
        int sent;
        do
        {
            await _output.WaitAsync().ConfigureAwait(false);
        }
        while (!TrySend(octets.Span, out sent));
        return sent;
    }

    private int Receive(Span<byte> buffer)
    {
        if (TryTakeCancelledReceive())
        {
            return IStreamSocket.Cancelled;
        }

        nint count;
        do
        {
            count = Kernel.Receive(_handle, buffer, buffer.Length, Kernel.DontWait);
        }
        while (count < 0 && Marshal.GetLastPInvokeError() == Kernel.Interrupted);
        if (count < 0)
        {
            _drained = true;
            return Marshal.GetLastPInvokeError() == Kernel.WouldBlock ? IStreamSocket.NotYet : throw Kernel.LastError();
        }

        _drained = count < buffer.Length && count > 0;
        return (int)count;
    }

    private bool TrySend(ReadOnlySpan<byte> octets, out int sent)
    {
        sent = IStreamSocket.Cancelled;
        if (Volatile.Read(ref _sendCancelled) && Interlocked.Exchange(ref _sendCancelled, false))
        {
            return true;
        }

        nint count;
        do
        {
            count = Kernel.Send(_handle, octets, octets.Length, Kernel.DontWait | Kernel.NoSignal);
        }
        while (count < 0 && Marshal.GetLastPInvokeError() == Kernel.Interrupted);
        if (count < 0)
        {
            return Marshal.GetLastPInvokeError() == Kernel.WouldBlock ? false : throw Kernel.LastError();
        }

        sent = (int)count;
        return true;
    }

    // The runtime's SocketException knows its own numbers; of Linux's, these are what a connect gives.
    private static SocketError ToSocketError(int error) => error switch
    {
        2 => SocketError.AddressNotAvailable,    // ENOENT: no such Unix socket
        11 => SocketError.TryAgain,              // EAGAIN: the Unix socket's backlog is full
        13 or 1 => SocketError.AccessDenied,     // EACCES, EPERM
        97 => SocketError.AddressFamilyNotSupported,
        99 => SocketError.AddressNotAvailable,
        101 => SocketError.NetworkUnreachable,
        110 => SocketError.TimedOut,
        111 => SocketError.ConnectionRefused,
        113 => SocketError.HostUnreachable,
        _ => SocketError.SocketError,
    };
}
