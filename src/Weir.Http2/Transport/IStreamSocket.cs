namespace Weir.Http2.Transport;

/// <summary>A connected stream socket as the pipe's two ends use it: one receive and one send at a time, both at once is fine.</summary>
internal interface IStreamSocket : IDisposable
{
    /// <summary>Whether it is worth trying a receive before a wait.</summary>
    bool MayReceive { get; }

    /// <summary>Waits, without a buffer, until it is worth trying a receive (again): something came, or a receive was cancelled.</summary>
    ValueTask WaitToReceiveAsync();

    /// <summary>Receives into <paramref name="buffer"/>: how many octets, 0 at the peer's orderly end, <see cref="Cancelled"/> or <see cref="NotYet"/>.</summary>
    /// <exception cref="IOException">The connection is lost.</exception>
    ValueTask<int> ReceiveAsync(Memory<byte> buffer);

    /// <summary>Sends some of <paramref name="octets"/>: how many, or <see cref="Cancelled"/>.</summary>
    /// <exception cref="IOException">The connection is lost.</exception>
    ValueTask<int> SendAsync(ReadOnlyMemory<byte> octets);

    /// <summary>Whether a receive was cancelled since the last that was; it is taken with this.</summary>
    bool TryTakeCancelledReceive();

    /// <summary>Ends the receive under way, or the next one. From any thread.</summary>
    void CancelReceive();

    /// <summary>Ends the send under way, or the next one. From any thread.</summary>
    void CancelSend();

    /// <summary>Tells the peer that nothing more is sent.</summary>
    void ShutdownSend();

    /// <summary>What an operation returns that was cancelled.</summary>
    const int Cancelled = -1;

    /// <summary>What a receive returns that found nothing: <see cref="WaitToReceiveAsync"/> follows.</summary>
    const int NotYet = -2;
}
