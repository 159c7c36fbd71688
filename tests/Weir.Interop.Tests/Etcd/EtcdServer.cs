using System.Net;
using System.Net.Sockets;
using Weir.Rpc;

namespace Weir.Interop.Tests.Etcd;

/// <summary>Debian's etcd in a process of its own, on free ports and an empty data folder, for all tests of a class.</summary>
public sealed class EtcdServer : IAsyncLifetime
{
    private const string Path = "/usr/bin/etcd";
    private static readonly TimeSpan StartLimit = TimeSpan.FromMinutes(2);

    private readonly DirectoryInfo _data = Directory.CreateTempSubdirectory("weir-etcd-");
    private Program? _program;
    private Task _log = Task.CompletedTask;
    private RpcChannel? _channel;

    /// <summary>A channel to the server. Skips the test when etcd is not installed.</summary>
    public CallInvoker Channel
    {
        get
        {
            Assert.SkipWhen(_channel is null, "missing package: etcd-server");
            return _channel;
        }
    }

    public async ValueTask InitializeAsync()
    {
        if (!File.Exists(Path))
            return;
        using Socket clientPort = ReservePort(), peersPort = ReservePort();
        var (client, peers) = ($"http://{clientPort.LocalEndPoint}", $"http://{peersPort.LocalEndPoint}");
        _program = Program.Start(
            Path,
            $"--data-dir={_data.FullName}",
            $"--listen-client-urls={client}",
            $"--advertise-client-urls={client}",
            $"--listen-peer-urls={peers}",
            $"--initial-advertise-peer-urls={peers}",
            $"--initial-cluster=default={peers}",
            "--logger=zap",
            "--log-outputs=stdout");
        var line = "";
        while (!line.Contains("serving client traffic", StringComparison.Ordinal))
            line = await _program.ReadLineAsync(StartLimit) ?? throw new InvalidOperationException($"etcd ended before it was ready: {line}");
        _log = _program.DiscardOutputAsync();
        _channel = RpcChannel.ForAddress(client);
    }

    public async ValueTask DisposeAsync()
    {
        if (_channel is not null)
            await _channel.DisposeAsync();
        if (_program is not null)
            await _program.DisposeAsync();
        await _log;
        _data.Delete(recursive: true);
    }

    /// <summary>A socket that has a port and does not listen: nobody else gets the port meanwhile, and etcd, which asks for it, may have it.</summary>
    private static Socket ReservePort()
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return socket;
    }
}
