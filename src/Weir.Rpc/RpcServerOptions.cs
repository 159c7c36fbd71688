using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Weir.Http2;
using Weir.Rpc.Compression;

namespace Weir.Rpc;

/// <summary>Settings of a server; set them before the server is made.</summary>
public sealed class RpcServerOptions
{
    /// <summary>The largest message accepted, in bytes, after decompression as well as before. 0 to 2,147,483,586. Default 4 MiB. A larger one ends its call with ResourceExhausted.</summary>
    public int MaxReceiveMessageBytes
    {
        get;
        set => field = RpcLimits.CheckMessageBytes(value, nameof(MaxReceiveMessageBytes));
    } = RpcLimits.DefaultReceiveMessageBytes;

    /// <summary>The largest message sent, in bytes before compression. 0 to 2,147,483,586, which is the default. Sending a larger one throws ResourceExhausted and sends nothing.</summary>
    public int MaxSendMessageBytes
    {
        get;
        set => field = RpcLimits.CheckMessageBytes(value, nameof(MaxSendMessageBytes));
    } = RpcLimits.LargestMessageBytes;

    /// <summary>What requests may be compressed with, besides <see cref="MessageCompression.Identity"/>; clients are told. Default: gzip, deflate, brotli.
    /// A request compressed with anything else ends with Unimplemented.</summary>
    /// <exception cref="ArgumentException">A name is there twice.</exception>
    public IReadOnlyList<MessageCompression> AcceptedCompressions
    {
        get;
        set => field = CompressionSet.Check(value, nameof(AcceptedCompressions));
    } = [MessageCompression.Gzip, MessageCompression.Deflate, MessageCompression.Brotli];

    /// <summary>What responses are compressed with when their client accepts it and the handler sets nothing else (<see cref="ServerCall.ResponseCompression"/>).
    /// Default: null, no compression.</summary>
    public MessageCompression? Compression { get; set; }

    /// <summary>Settings and limits of the connections.</summary>
    public Http2Options Http2
    {
        get;
        set
        {
            ArgumentNullException.ThrowIfNull(value);
            field = value;
        }
    } = new();

    /// <summary>How long a handler waits for each request, apart from the call's deadline: when none comes for so long while it waits, the call ends with
    /// DeadlineExceeded and is cancelled. Above zero, up to 24 days. Default: null, no limit.</summary>
    public TimeSpan? MessageTimeout
    {
        get;
        set => field = value is { } limit ? RpcLimits.CheckTimeout(limit, nameof(MessageTimeout)) : null;
    }

    /// <summary>How long responses may wait for room, apart from the call's deadline: when none of those that wait gets on for so long, the call is
    /// cancelled. Its client, which reads nothing, cannot be told a status. Above zero, up to 24 days. Default: null, no limit.</summary>
    public TimeSpan? SendTimeout
    {
        get;
        set => field = value is { } limit ? RpcLimits.CheckTimeout(limit, nameof(SendTimeout)) : null;
    }

    /// <summary>Whether a handler's own calls can take the deadline and the cancellation of the call that it answers without naming it
    /// (<see cref="CallInvoker.PropagateCalls"/>): each call is kept in the flow of its handler, for some hundred bytes. Default: false.</summary>
    public bool PropagatesCalls { get; set; }

    /// <summary>What every call of every service passes through, before the service's own: the first is the outermost, which sees a call first and
    /// its responses last. Read when a service is added. Default: none, which costs nothing.</summary>
    public IList<ServerInterceptor> Interceptors { get; } = [];

    /// <summary>The time source of deadlines and timeouts: the one of <see cref="Http2"/>. Default: the system's.</summary>
    public TimeProvider TimeProvider
    {
        get => Http2.TimeProvider;
        set
        {
            ArgumentNullException.ThrowIfNull(value);
            Http2.TimeProvider = value;
        }
    }

    /// <summary>Where the server logs. Default: nowhere.</summary>
    public ILoggerFactory LoggerFactory
    {
        get;
        set
        {
            ArgumentNullException.ThrowIfNull(value);
            field = value;
        }
    } = NullLoggerFactory.Instance;
}
