using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace Weir.Server.Tests.Live;

/// <summary>When to cut a connection: after so many bytes of the client or of the server.</summary>
internal sealed record CutPlan(long AfterClientBytes = long.MaxValue, long AfterServerBytes = long.MaxValue);

/// <summary>A relay between a client and a server that breaks connections, both sides at once and without goodbye.</summary>
internal sealed class CuttingProxy : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly Uri _target;
    private readonly Func<int, CutPlan> _plan;
    private readonly ConcurrentDictionary<int, Link> _links = new();
    private readonly ConcurrentBag<Task> _work = [];
    private readonly Task _accepting;
    private int _connections;

    /// <param name="target">The server.</param>
    /// <param name="plan">When to cut the n-th connection, from 0; null means never.</param>
    public CuttingProxy(Uri target, Func<int, CutPlan>? plan = null)
    {
        _target = target;
        _plan = plan ?? (_ => new CutPlan());
        _listener.Start();
        Url = $"http://{_listener.LocalEndpoint}";
        _accepting = AcceptAsync();
    }

    public string Url { get; }

    /// <summary>Connections so far.</summary>
    public int Connections => Volatile.Read(ref _connections);

    /// <summary>Bytes that reached the server so far.</summary>
    public long ClientBytes => _links.Values.Sum(link => link.ClientBytes);

    /// <summary>Cuts every connection that is open.</summary>
    public void Cut()
    {
        foreach (var link in _links.Values)
            link.Cut();
    }

    public async ValueTask DisposeAsync()
    {
        _listener.Stop();
        await _accepting;
        Cut();
        await Task.WhenAll(_work);
    }

    private async Task AcceptAsync()
    {
        while (true)
        {
            Socket client;
            try
            {
                client = await _listener.AcceptSocketAsync();
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                return;
            }

            var number = _connections;
            var link = _links[number] = new Link(client, new Socket(client.AddressFamily, SocketType.Stream, ProtocolType.Tcp), _plan(number));
            Volatile.Write(ref _connections, number + 1);
            _work.Add(link.RunAsync(_target));
        }
    }

    private sealed class Link(Socket client, Socket server, CutPlan plan)
    {
        private long _clientBytes;

        public long ClientBytes => Volatile.Read(ref _clientBytes);

        public async Task RunAsync(Uri target)
        {
            client.NoDelay = server.NoDelay = true;
            try
            {
                await server.ConnectAsync(target.Host, target.Port);
                await Task.WhenAll(
                    PumpAsync(client, server, plan.AfterClientBytes, count => Interlocked.Add(ref _clientBytes, count)),
                    PumpAsync(server, client, plan.AfterServerBytes, _ => { }));
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                // One end has gone; so the other goes too.
            }
            finally
            {
                Cut();
            }
        }

        public void Cut()
        {
            foreach (var socket in (Socket[])[client, server])
            {
                try
                {
                    socket.LingerState = new LingerOption(true, 0); // a reset, not an orderly end
                }
                catch (Exception e) when (e is SocketException or ObjectDisposedException)
                {
                    // Was gone already.
                }

                socket.Dispose();
            }
        }

        private async Task PumpAsync(Socket from, Socket to, long cutAfter, Action<int> count)
        {
            var buffer = new byte[64 * 1024];
            var passed = 0L;
            while (true)
            {
                var read = await from.ReceiveAsync(buffer.AsMemory(0, (int)Math.Min(buffer.Length, cutAfter - passed)));
                if (read == 0)
                {
                    Cut();
                    return;
                }

                for (var sent = 0; sent < read;)
                    sent += await to.SendAsync(buffer.AsMemory(sent, read - sent));
                passed += read;
                count(read);
                if (passed == cutAfter)
                {
                    Cut();
                    return;
                }
            }
        }
    }
}
