using System.Globalization;
using Weir.Rpc;

namespace Weir.Interop.Tests;

/// <summary>A peer's server in a process of its own, with a channel of Weir to it.</summary>
internal sealed class PeerServer : IAsyncDisposable
{
    private readonly Program _program;

    private PeerServer(Program program, int port, TimeProvider time)
    {
        _program = program;
        Channel = RpcChannel.ForAddress($"http://127.0.0.1:{port}", new RpcChannelOptions { TimeProvider = time });
    }

    public RpcChannel Channel { get; }

    /// <param name="name">The peer.</param>
    /// <param name="time">The channel's clock; null: the system's.</param>
    public static async Task<PeerServer> StartAsync(string name, TimeProvider? time = null)
    {
        const string Announcement = "listening ";
        var peer = Peer.Named(name);
        await peer.BuildAsync();
        var program = Program.Start([.. peer.Server, "127.0.0.1:0"]);
        try
        {
            var line = await program.ReadLineAsync(TimeSpan.FromMinutes(2));
            Assert.StartsWith(Announcement, line);
            return new PeerServer(program, int.Parse(line![Announcement.Length..], CultureInfo.InvariantCulture), time ?? TimeProvider.System);
        }
        catch
        {
            await program.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await Channel.DisposeAsync();
        await _program.DisposeAsync();
    }
}
