using System.Buffers;
using System.Net;
using System.Net.Sockets;
using Weir.Http2.Transport;
using Weir.Rpc.Tests.Support;

namespace Weir.Rpc.Tests;

/// <summary>The hot paths allocate nothing for each message: counted over the whole process, both ends included.</summary>
[Collection(nameof(AllocationTests))]
public sealed class AllocationTests
{
    private const int Messages = 200_000;
    private static readonly FixedMarshaller Marshaller = new();

    [Fact]
    public async Task A_server_stream_allocates_nothing_for_each_message()
    {
        await using var host = new FixedHost();
        await host.ReadAsync(Messages).SoonAsync(); // warm
        var before = GC.GetTotalAllocatedBytes(precise: true);
        await host.ReadAsync(Messages).SoonAsync();
        AssertNothingFor(Messages, before);
    }

    [Fact]
    public async Task A_client_stream_allocates_nothing_for_each_message()
    {
        await using var host = new FixedHost();
        await host.SendAsync(Messages).SoonAsync();
        var before = GC.GetTotalAllocatedBytes(precise: true);
        await host.SendAsync(Messages).SoonAsync();
        AssertNothingFor(Messages, before);
    }

#if DEBUG
    [Fact(Skip = "Debug builds make an object of every async method's state.")]
#else
    [Fact]
#endif
    public async Task Ping_pong_allocates_nothing_for_each_message()
    {
        await using var host = new FixedHost();
        await host.PingAsync(2000).SoonAsync();
        var before = GC.GetTotalAllocatedBytes(precise: true);
        await host.PingAsync(5000).SoonAsync();
        AssertNothingFor(5000, before);
    }

    private static void AssertNothingFor(int messages, long before)
    {
        // The call itself, the test runner and the runtime allocate too: less than the smallest object a message, which is 24 bytes.
        var allocated = GC.GetTotalAllocatedBytes(precise: true) - before;
        Assert.InRange((double)allocated / messages, 0, 23.9);
    }

    private sealed class FixedMarshaller : Marshaller<string>
    {
        public override int GetSize(string message) => 38;

        public override void Write(string message, Span<byte> destination) => destination.Fill(7);

        public override string Read(ReadOnlySpan<byte> payload) => "message";

        public override string Read(in ReadOnlySequence<byte> payload) => "message";
    }

    private sealed class FixedService : IRpcService
    {
        public static readonly Method<string, string> ServerMethod = new(MethodKind.ServerStreaming, "fixed", "Server", Marshaller, Marshaller);
        public static readonly Method<string, string> ClientMethod = new(MethodKind.ClientStreaming, "fixed", "Client", Marshaller, Marshaller);
        public static readonly Method<string, string> DuplexMethod = new(MethodKind.DuplexStreaming, "fixed", "Duplex", Marshaller, Marshaller);

        public static void Bind(ServiceBinder binder)
        {
            binder.ServerStreaming<FixedService, string, string>(ServerMethod, static (_, _, _) => Repeat());
            binder.ClientStreaming<FixedService, string, string>(ClientMethod, static (_, requests, _) => Count(requests));
            binder.DuplexStreaming<FixedService, string, string>(DuplexMethod, static (_, requests, _) => requests);
        }

        private static async IAsyncEnumerable<string> Repeat()
        {
            await Task.CompletedTask;
            for (var i = 0; i < Messages; i++)
            {
                yield return "message";
            }
        }

        private static async ValueTask<string> Count(IAsyncEnumerable<string> requests)
        {
            var count = 0;
            await foreach (var request in requests)
            {
                count += request.Length;
            }

            return "message";
        }
    }

    private sealed class FixedHost : IAsyncDisposable
    {
        private readonly RpcChannel _channel;
        private readonly Task _serving;

        public FixedHost()
        {
            var server = new RpcServer();
            server.AddService(new TestActivator<FixedService>(new FixedService()));

            // Sockets: System.IO.Pipelines allocates for each wait.
            using var listener = new Socket(SocketType.Stream, ProtocolType.Tcp);
            listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
            listener.Listen();
            var client = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            client.Connect(listener.LocalEndPoint!);
            var accepted = listener.Accept();
            accepted.NoDelay = true;
            _serving = server.ServeAsync(new SocketPipe(accepted), "socket");
            _channel = RpcChannel.ForAddress("http://fixed", new RpcChannelOptions { ConnectTransport = _ => new(new SocketPipe(client)) });
        }

        public async Task ReadAsync(int messages)
        {
            var count = 0;
            await foreach (var message in _channel.ServerStreaming(FixedService.ServerMethod, "", default, default))
            {
                count += message.Length / 7;
            }

            Assert.Equal(messages, count);
        }

        public async Task SendAsync(int messages)
        {
            await using var call = _channel.ClientStreaming(FixedService.ClientMethod, default, default);
            for (var i = 0; i < messages; i++)
            {
                await call.SendAsync("message");
            }

            await call.CompleteAsync();
        }

        public async Task PingAsync(int messages)
        {
            await using var call = _channel.DuplexStreaming(FixedService.DuplexMethod, default, default);
            await using var responses = call.Responses.GetAsyncEnumerator();
            for (var i = 0; i < messages; i++)
            {
                await call.SendAsync("message");
                Assert.True(await responses.MoveNextAsync());
            }
        }

        public async ValueTask DisposeAsync()
        {
            await _channel.DisposeAsync();
            await _serving.SoonAsync();
        }
    }
}

/// <summary>Runs alone: other tests' allocations would count.</summary>
[CollectionDefinition(nameof(AllocationTests), DisableParallelization = true)]
public sealed class AllocationTestsCollection;
