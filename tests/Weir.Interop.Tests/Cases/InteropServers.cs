using System.Globalization;

namespace Weir.Interop.Tests.Cases;

/// <summary>Servers of gRPC's interop tests, each in a process of its own, started when first asked for and kept for all tests of a class, which
/// run one after another.</summary>
public sealed class InteropServers : IAsyncDisposable
{
    private readonly Dictionary<(string Name, bool Tls), (Program Program, int Port)> _running = [];

    /// <summary>The port of a server: "Weir" or one of <see cref="Peer.Interop"/>, which is built.</summary>
    public async Task<int> PortOfAsync(string name, bool tls)
    {
        const string Announcement = "listening ";
        if (_running.TryGetValue((name, tls), out var known))
            return known.Port;
        var program = Program.Start([.. InteropPrograms.Server(name), "--port=0", .. tls ? InteropPrograms.ServerTls : []]);
        try
        {
            var line = await program.ReadLineAsync(TimeSpan.FromMinutes(2));
            Assert.StartsWith(Announcement, line);
            var port = int.Parse(line![Announcement.Length..], CultureInfo.InvariantCulture);
            _running.Add((name, tls), (program, port));
            return port;
        }
        catch
        {
            await program.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var (program, _) in _running.Values)
            await program.DisposeAsync();
    }
}
