using Weir.Rpc.Compression;

namespace Weir.Rpc.Channels;

/// <summary>What every call of a channel shares.</summary>
internal sealed class ChannelCore
{
    /// <summary>The user-agent of every request: "weir-dotnet/VERSION".</summary>
    public static readonly string UserAgent = $"weir-dotnet/{typeof(ChannelCore).Assembly.GetName().Version?.ToString(3)}";

    public ChannelCore(ServerAddress address, RpcChannelOptions options)
    {
        Address = address;
        Options = options;
        Compressions = new CompressionSet(options.AcceptedCompressions);
        Pool = new ConnectionPool(address, options);
    }

    /// <summary>Where the channel leads.</summary>
    public ServerAddress Address { get; }

    /// <summary>The channel's settings.</summary>
    public RpcChannelOptions Options { get; }

    /// <summary>What responses may be compressed with.</summary>
    public CompressionSet Compressions { get; }

    /// <summary>The channel's connections.</summary>
    public ConnectionPool Pool { get; }
}
