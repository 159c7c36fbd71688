using System.Buffers;
using System.Net;
using System.Net.Sockets;
using Weir.Http2;
using Weir.Http2.Transport;
using Weir.Rpc.Tests.Support;

namespace Weir.Rpc.Tests;

/// <summary>What is left in memory once many connections have been busy at once: counted over the whole process, both ends included.</summary>
[Collection(nameof(AllocationTests))]
public sealed class BurstTests
{
    private const int Connections = 40;
    private const int MessageBytes = 3 << 20;

    // Arrays of up to 64 KiB stay in the runtime's pool, 32 of a size for a processor; and 40 connections with what belongs to each.
    private const long MostLeftBytes = 16 << 20;

    private static readonly OctetsMarshaller Marshaller = new();

    [Fact]
    public async Task After_a_burst_of_large_messages_idle_connections_and_the_pools_hold_little()
    {
        var server = new RpcServer();
        server.AddService(new TestActivator<LargeService>(new LargeService()));
        using var listener = new Socket(SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        var clients = new List<RpcChannel>();
        var serving = new List<Task>();
        for (var i = 0; i < Connections; i++)
        {
            var client = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            client.Connect(listener.LocalEndPoint!);
            serving.Add(server.ServeAsync(new SocketPipe(listener.Accept()), "socket"));
            clients.Add(RpcChannel.ForAddress("http://burst", new RpcChannelOptions { ConnectTransport = _ => new(new SocketPipe(client)) }));
        }

        await DownloadAsync(clients[0], 1); // warm
        OctetPool.Shared.Release();
        var before = GC.GetTotalMemory(forceFullCollection: true);
        await Task.WhenAll(clients.Select(client => Task.Run(() => DownloadAsync(client, 3)))).SoonAsync();

        Assert.InRange(OctetPool.Shared.KeptBytes, 0, 64 << 20);
        OctetPool.Shared.Release(); // as it does by itself after ten seconds
        var left = GC.GetTotalMemory(forceFullCollection: true) - before;
        TestContext.Current.TestOutputHelper!.WriteLine($"{left:N0} bytes left");
        Assert.InRange(left, long.MinValue, MostLeftBytes);

        foreach (var client in clients)
        {
            await client.DisposeAsync();
        }

        await Task.WhenAll(serving).SoonAsync();
    }

    private static async Task DownloadAsync(RpcChannel channel, int messages)
    {
        var count = 0;
        await foreach (var message in channel.ServerStreaming(LargeService.Download, new Size(messages), default, default))
        {
            Assert.Equal(MessageBytes, message.Bytes);
            count++;
        }

        Assert.Equal(messages, count);
    }

    private sealed record Size(int Bytes);

    private sealed class OctetsMarshaller : Marshaller<Size>
    {
        public override int GetSize(Size message) => message.Bytes;

        public override void Write(Size message, Span<byte> destination) => destination.Fill(1);

        public override Size Read(ReadOnlySpan<byte> payload) => new(payload.Length);

        public override Size Read(in ReadOnlySequence<byte> payload) => new((int)payload.Length);
    }

    private sealed class LargeService : IRpcService
    {
        public static readonly Method<Size, Size> Download = new(MethodKind.ServerStreaming, "large", "Download", Marshaller, Marshaller);

        public static void Bind(ServiceBinder binder) =>
            binder.ServerStreaming<LargeService, Size, Size>(Download, static (_, request, _) => Repeat(request.Bytes));

        private static async IAsyncEnumerable<Size> Repeat(int messages)
        {
            await Task.CompletedTask;
            for (var i = 0; i < messages; i++)
            {
                yield return new Size(MessageBytes);
            }
        }
    }
}
