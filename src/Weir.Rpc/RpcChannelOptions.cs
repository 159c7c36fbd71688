using System.IO.Pipelines;
using System.Net.Security;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Weir.Http2;
using Weir.Rpc.Channels;
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

    /// <summary>How many connections the channel opens at most to one server. 1 to 1024. Default 4. A further one is opened only when the server's limit
    /// of streams is reached on all others (gRFC A105); when it is reached on this many, calls wait.</summary>
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

    /// <summary>How long one attempt to connect may take, TLS and HTTP/2 settings included; the present pause of <see cref="Backoff"/> if that is longer.
    /// Above zero, up to 24 days. Default 20 s.</summary>
    public TimeSpan ConnectTimeout
    {
        get;
        set => field = RpcLimits.CheckTimeout(value, nameof(ConnectTimeout));
    } = TimeSpan.FromSeconds(20);

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

    /// <summary>The pauses between attempts to connect.</summary>
    public BackoffOptions Backoff
    {
        get;
        set
        {
            ArgumentNullException.ThrowIfNull(value);
            field = value;
        }
    } = new();

    /// <summary>What the channel does with its calls: timeouts, retries, hedging. Read when the channel is made. Default: null, nothing, which costs nothing.</summary>
    public ServiceConfig? ServiceConfig { get; set; }

    /// <summary>How many bytes of requests one call keeps for further attempts, where a policy allows them. 0 to 2,147,483,586. Default 1 MiB. A call that has
    /// sent more is not tried again. A message counts 64 bytes at least.</summary>
    public int MaxReplayBytesPerCall
    {
        get;
        set => field = RpcLimits.CheckMessageBytes(value, nameof(MaxReplayBytesPerCall));
    } = 1024 * 1024;

    /// <summary>How many bytes of requests all calls of the channel keep together for further attempts. Zero or more. Default 16 MiB. A call that would exceed
    /// it is not tried again.</summary>
    public long MaxReplayBytes
    {
        get;
        set
        {
            ArgumentOutOfRangeException.ThrowIfNegative(value, nameof(MaxReplayBytes));
            field = value;
        }
    } = 16 * 1024 * 1024;

    /// <summary>What every call of the channel passes through: the first is the outermost, which sees a call first and its responses last.
    /// Read when the channel is made. Default: none, which costs nothing.</summary>
    public IList<ClientInterceptor> Interceptors { get; } = [];

    /// <summary>How long the channel may be without calls before it closes its connections and goes Idle; the next call connects again. 1 s to 24 days;
    /// <see cref="Timeout.InfiniteTimeSpan"/>: for ever. Default 30 minutes.</summary>
    public TimeSpan IdleTimeout
    {
        get;
        set
        {
            if (value != Timeout.InfiniteTimeSpan)
            {
                ArgumentOutOfRangeException.ThrowIfLessThan(value, TimeSpan.FromSeconds(1), nameof(IdleTimeout));
                ArgumentOutOfRangeException.ThrowIfGreaterThan(value, TimeSpan.FromDays(24), nameof(IdleTimeout));
            }

            field = value;
        }
    } = TimeSpan.FromMinutes(30);

    /// <summary>The names of the policies that choose among the address's servers, the best first: the first one that is known is taken. Known are
    /// "pick_first" (one server, the next one when it fails), "round_robin", "least_request" and those of <see cref="LoadBalancingPolicies"/>.
    /// Default: null, as the channel's service config says, or else "pick_first".</summary>
    public IReadOnlyList<string>? LoadBalancing { get; set; }

    /// <summary>Policies of the application's own: the name, and what makes the policy of a channel. Default: none.</summary>
    public IDictionary<string, Func<LoadBalancingPolicy>> LoadBalancingPolicies { get; } = new Dictionary<string, Func<LoadBalancingPolicy>>(StringComparer.Ordinal);

    /// <summary>Resolvers of the application's own: an address's scheme ("consul" for "consul:///orders"), and what makes the resolver of a channel from
    /// what follows the scheme and its slashes ("orders"). They come before the schemes that are known anyway. Default: none.</summary>
    public IDictionary<string, Func<string, RpcResolver>> Resolvers { get; } = new Dictionary<string, Func<string, RpcResolver>>(StringComparer.Ordinal);

    /// <summary>Makes the transport to one of the addresses that the resolver found, instead of connecting a socket: for proxies and networks of the
    /// application's own. It speaks TLS itself if the server does. A transport that is IAsyncDisposable is disposed after its connection has ended.
    /// Default: null, a socket.</summary>
    public Func<RpcAddress, CancellationToken, ValueTask<IDuplexPipe>>? ConnectAddress { get; set; }

    /// <summary>Makes a transport instead of connecting to the channel's address: for tests, servers in the same process, proxies.
    /// A transport that is IAsyncDisposable is disposed after its connection has ended. Default: null, the address is used.</summary>
    public Func<CancellationToken, ValueTask<IDuplexPipe>>? ConnectTransport { get; set; }

    /// <summary>The :authority of requests: "host" or "host:port" in printable ASCII. Default: null, the address's.</summary>
    public string? Authority { get; set; }

    /// <summary>TLS settings: with them every address but http is connected to with TLS. The protocol is always "h2", and a server that does not agree on
    /// it is refused; a missing TargetHost (the name asked for and checked) is the address's host. Default: null, the system's trust for https
    /// addresses and no TLS for others.</summary>
    public SslClientAuthenticationOptions? Tls { get; set; }

    /// <summary>Settings and limits of the connections. By default those of <see cref="Http2Options"/>, except that no connection is closed for being
    /// without calls: the channel's <see cref="IdleTimeout"/> does that for all of them.</summary>
    public Http2Options Http2
    {
        get;
        set
        {
            ArgumentNullException.ThrowIfNull(value);
            field = value;
        }
    } = new() { IdleTimeout = Timeout.InfiniteTimeSpan };

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

    /// <summary>The policy among several servers, or null for "pick_first".</summary>
    /// <exception cref="ArgumentException">None of the names is known.</exception>
    internal LoadBalancingPolicy? CreatePolicy()
    {
        var names = LoadBalancing ?? (ServiceConfig is { LoadBalancingPolicies: { Count: > 0 } listed } ? listed : ["pick_first"]);
        foreach (var name in names)
        {
            if (LoadBalancingPolicies.TryGetValue(name, out var create))
            {
                return create();
            }

            switch (name)
            {
                case "pick_first":
                    return null;
                case "round_robin":
                    return new RoundRobin();
                case "least_request":
                    return new LeastRequest();
            }
        }

        throw new ArgumentException($"None of the policies \"{string.Join("\", \"", names)}\" is known (LoadBalancing).");
    }
}
