using Weir.Rpc;

namespace Weir.AspNetCore;

/// <summary>Settings of Weir in an ASP.NET Core application. Set them in <c>AddWeir</c>; they are read once, when the host starts.</summary>
public sealed class WeirOptions
{
    /// <summary>Settings of the calls: message sizes and the like.</summary>
    public RpcServerOptions Rpc { get; } = new();

    /// <summary>What every call of every service passes through, after those in <see cref="Rpc"/> and before the service's own.</summary>
    public RpcInterceptors Interceptors { get; } = new();

    /// <summary>How long a new connection may take to show whether it speaks HTTP/2: it is closed when by then it has sent nothing or only a
    /// part of the preface. More than zero. Default 10 s. Once a connection is known to speak HTTP/1.1, Kestrel's own limits hold instead.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is zero or negative.</exception>
    public TimeSpan HandshakeTimeout
    {
        get;
        set
        {
            ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(value, TimeSpan.Zero);
            field = value;
        }
    } = TimeSpan.FromSeconds(10);

    /// <summary>How long open calls may go on after the host began to stop (they see <see cref="ServerCall.Draining"/>); then they are cancelled.
    /// Zero or more and less than <c>HostOptions.ShutdownTimeout</c> (30 s by default), or the host does not start. Default 5 s.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is negative.</exception>
    public TimeSpan DrainTimeout
    {
        get;
        set
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, TimeSpan.Zero);
            field = value;
        }
    } = TimeSpan.FromSeconds(5);
}
