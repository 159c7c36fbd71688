using System.Globalization;
using Weir.Rpc;

namespace Weir.Interop.Tests;

/// <summary>A peer's server in a process of its own, with a channel of Weir to it.</summary>
internal sealed class PeerServer : IAsyncDisposable
{
    private readonly Program _program;

    private PeerServer(Program program, int port)
    {
        _program = program;
        Channel = RpcChannel.ForAddress($"http://127.0.0.1:{port}");
    }

    public RpcChannel Channel { get; }

    public static async Task<PeerServer> StartAsync(string name)
    {
        const string Announcement = "listening ";
        var peer = Peer.Named(name);
        await peer.BuildAsync();
        var program = Program.Start([.. peer.Server, "127.0.0.1:0"]);
        try
        {
            var line = await program.ReadLineAsync(TimeSpan.FromSeconds(30));
            Assert.StartsWith(Announcement, line);
            return new PeerServer(program, int.Parse(line![Announcement.Length..], CultureInfo.InvariantCulture));
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
