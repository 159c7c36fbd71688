using System.Net.Sockets;

namespace Weir.Http2.Transport;

/// <summary>TCP_USER_TIMEOUT (RFC 5482): how long the system lets sent octets go unacknowledged before it gives the connection up. Without it a peer that
/// has vanished is noticed only after the system's retransmissions, many minutes later (gRFC A18).</summary>
public static class TcpUserTimeout
{
    private const int TcpLevel = 6;       // IPPROTO_TCP
    private const int UserTimeout = 18;   // TCP_USER_TIMEOUT of Linux, in milliseconds

    /// <summary>Sets the timeout on a TCP socket. No effect on other sockets and on systems other than Linux.</summary>
    /// <param name="socket">The socket, connected or not.</param>
    /// <param name="timeout">More than zero, up to 24 days; rounded up to milliseconds.</param>
    public static void Set(Socket socket, TimeSpan timeout)
    {
        ArgumentNullException.ThrowIfNull(socket);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(timeout, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(timeout, TimeSpan.FromDays(24));
        if (!OperatingSystem.IsLinux() || socket.ProtocolType != ProtocolType.Tcp)
        {
            return;
        }

        Span<byte> value = stackalloc byte[sizeof(int)];
        BitConverter.TryWriteBytes(value, (int)Math.Ceiling(timeout.TotalMilliseconds));
        socket.SetRawSocketOption(TcpLevel, UserTimeout, value);
    }

    /// <summary>Reads the timeout back; zero when there is none, or none that this can read.</summary>
    public static TimeSpan Get(Socket socket)
    {
        ArgumentNullException.ThrowIfNull(socket);
        if (!OperatingSystem.IsLinux() || socket.ProtocolType != ProtocolType.Tcp)
        {
            return TimeSpan.Zero;
        }

        Span<byte> value = stackalloc byte[sizeof(int)];
        socket.GetRawSocketOption(TcpLevel, UserTimeout, value);
        return TimeSpan.FromMilliseconds(BitConverter.ToInt32(value));
    }
}
