using Weir.Rpc.Compression;
using Weir.Rpc.Policies;

namespace Weir.Rpc.Channels;

/// <summary>What every call of a channel shares.</summary>
internal sealed class ChannelCore
{
    /// <summary>The user-agent of every request: "weir-dotnet/VERSION".</summary>
    public static readonly string UserAgent = $"weir-dotnet/{typeof(ChannelCore).Assembly.GetName().Version?.ToString(3)}";

    private MethodPolicies? _policies;

    public ChannelCore(ChannelTarget address, RpcChannelOptions options)
    {
        Address = address;
        Options = options;
        Compressions = new CompressionSet(options.AcceptedCompressions);
        Pool = new ConnectionPool(this);
        Replays = new ReplayBudget(options.MaxReplayBytes);
        Policies = options.ServiceConfig is { } config ? new MethodPolicies(config) : null;
    }

    /// <summary>Where the channel leads.</summary>
    public ChannelTarget Address { get; }

    /// <summary>The channel's settings.</summary>
    public RpcChannelOptions Options { get; }

    /// <summary>What holds for calls to come; null for nothing. May change at any time.</summary>
    public MethodPolicies? Policies { get => Volatile.Read(ref _policies); set => Volatile.Write(ref _policies, value); }

    /// <summary>What calls may keep for further attempts.</summary>
    public ReplayBudget Replays { get; }

    /// <summary>What responses may be compressed with.</summary>
    public CompressionSet Compressions { get; }

    /// <summary>The channel's connections.</summary>
    public ConnectionPool Pool { get; }
}
