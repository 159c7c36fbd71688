using System.IO.Pipelines;
using System.Net.Security;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Weir.Http2;
using Weir.Rpc.Compression;

namespace Weir.Rpc;

/// <summary>Settings of a channel; set them before the channel is made.</summary>
public sealed class RpcChannelOptions
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

    /// <summary>How many connections the channel opens at most. 1 to 1024. Default 4. A further one is opened only when the server's limit of streams
    /// is reached on all others.</summary>
    public int MaxConnections
    {
        get;
        set
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, 1, nameof(MaxConnections));
            ArgumentOutOfRangeException.ThrowIfGreaterThan(value, 1024, nameof(MaxConnections));
            field = value;
        }
    } = 4;

    /// <summary>How many calls wait at most for a connection or a free stream. 1 to 1,000,000. Default 1000. One more ends with ResourceExhausted at once.</summary>
    public int MaxWaitingCalls
    {
        get;
        set
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, 1, nameof(MaxWaitingCalls));
            ArgumentOutOfRangeException.ThrowIfGreaterThan(value, 1_000_000, nameof(MaxWaitingCalls));
            field = value;
        }
    } = 1000;

    /// <summary>How long connecting may take, TLS and HTTP/2 settings included. Above zero, up to 24 days. Default 20 s.</summary>
    public TimeSpan ConnectTimeout
    {
        get;
        set => field = RpcLimits.CheckTimeout(value, nameof(ConnectTimeout));
    } = TimeSpan.FromSeconds(20);

    /// <summary>Makes a transport instead of connecting to the channel's address: for tests, servers in the same process, proxies.
    /// A transport that is IAsyncDisposable is disposed after its connection has ended. Default: null, the address is used.</summary>
    public Func<CancellationToken, ValueTask<IDuplexPipe>>? ConnectTransport { get; set; }

    /// <summary>The :authority of requests: "host" or "host:port" in printable ASCII. Default: null, the address's.</summary>
    public string? Authority { get; set; }

    /// <summary>TLS settings for https addresses. The protocol is always "h2"; a missing TargetHost is the address's host. Default: null, the system's trust.</summary>
    public SslClientAuthenticationOptions? Tls { get; set; }

    /// <summary>What responses may be compressed with, besides <see cref="MessageCompression.Identity"/>; servers are told. Default: gzip, deflate, brotli.
    /// A response compressed with anything else ends its call with Internal.</summary>
    /// <exception cref="ArgumentException">A name is there twice.</exception>
    public IReadOnlyList<MessageCompression> AcceptedCompressions
    {
        get;
        set => field = CompressionSet.Check(value, nameof(AcceptedCompressions));
    } = [MessageCompression.Gzip, MessageCompression.Deflate, MessageCompression.Brotli];

    /// <summary>What the requests of calls are compressed with that set nothing else (<see cref="CallOptions.Compression"/>). A server that does not
    /// know it ends the call with Unimplemented. Default: null, no compression.</summary>
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

    /// <summary>Where the channel logs. Default: nowhere.</summary>
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
