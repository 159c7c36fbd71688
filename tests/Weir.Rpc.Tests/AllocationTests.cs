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

    // Bytes a call or an idle stream, client and server together.
    private const int UnaryCallBytes = 2185;
    private const int ServerStreamingCallBytes = 2153;
    private const int ClientStreamingCallBytes = 2649;
    private const int DuplexStreamingCallBytes = 2049;
    private const int IdleStreamBytes = 1600; // 1,303 to 1,488 in steps of an 8 KiB array of the pool, and one such step more

    private static readonly FixedMarshaller Marshaller = new();

    [Fact]
    public async Task A_server_stream_allocates_nothing_for_each_message()
    {
        await using var host = new FixedHost();
        await AssertNothingAsync(Messages, () => host.ReadAsync(Messages));
    }

    [Fact]
    public async Task A_client_stream_allocates_nothing_for_each_message()
    {
        await using var host = new FixedHost();
        await AssertNothingAsync(Messages, () => host.SendAsync(Messages));
    }

#if DEBUG
    [Fact(Skip = "Debug builds make an object of every async method's state.")]
#else
    [Fact]
#endif
    public async Task Ping_pong_allocates_nothing_for_each_message()
    {
        await using var host = new FixedHost();
        await AssertNothingAsync(5000, () => host.PingAsync(5000));
    }

    // What a call costs on both ends together; each bound is what was measured plus less than the smallest object, which is 24 bytes: whoever adds
    // one sees it here, and says why.
    [Theory]
    [InlineData(MethodKind.Unary, UnaryCallBytes)]
    [InlineData(MethodKind.ServerStreaming, ServerStreamingCallBytes)]
    [InlineData(MethodKind.ClientStreaming, ClientStreamingCallBytes)]
    [InlineData(MethodKind.DuplexStreaming, DuplexStreamingCallBytes)]
    public async Task A_call_allocates_no_object_more_than_it_did(MethodKind kind, int bytes)
    {
        const int Calls = 2_000;
        await using var host = new FixedHost();
        var least = await LeastAsync(10, Calls, () => host.CallAsync(kind, Calls));
        TestContext.Current.TestOutputHelper!.WriteLine($"{kind}: {least:F1} bytes a call");
        Assert.InRange(least, 0, bytes + 23.9);
    }

    [Fact]
    public async Task An_idle_stream_keeps_no_more_than_it_did()
    {
        const int Streams = 90; // a connection takes 100
        await using var host = new FixedHost();
        await (await host.OpenIdleAsync(Streams).SoonAsync()).DisposeAsync();
        var rounds = new List<double>();
        for (var round = 0; round < 9; round++)
        {
            var before = GC.GetTotalMemory(forceFullCollection: true);
            var idle = await host.OpenIdleAsync(Streams).SoonAsync();
            rounds.Add((double)(GC.GetTotalMemory(forceFullCollection: true) - before) / Streams);
            await idle.DisposeAsync();
        }

        // The median: collections make the runtime's pools let go of what other tests have left there, which is in some rounds more than the streams take.
        rounds.Sort();
        var median = rounds[rounds.Count / 2];
        TestContext.Current.TestOutputHelper!.WriteLine($"{median:F1} bytes an idle stream ({string.Join(' ', rounds.Select(each => $"{each:F0}"))})");
        Assert.InRange(median, 1, IdleStreamBytes);
    }

    private static async Task AssertNothingAsync(int messages, Func<Task> pass)
    {
        // The call itself allocates: less than the smallest object a message, which is 24 bytes.
        Assert.InRange(await LeastAsync(5, messages, pass), 0, 23.9);
    }

    /// <summary>The bytes for each of so many that a round allocates in the whole process, in the round with the fewest after one that warms up: what the
    /// runner and the runtime allocate beside it comes in some rounds only, and in more of them on a busy machine.</summary>
    private static async Task<double> LeastAsync(int rounds, int count, Func<Task> pass)
    {
        await pass().SoonAsync("the round that warms up");
        var all = new List<double>();
        for (var round = 0; round < rounds; round++)
        {
            var before = GC.GetTotalAllocatedBytes(precise: true);
            await pass().SoonAsync("a round");
            all.Add((double)(GC.GetTotalAllocatedBytes(precise: true) - before) / count);
        }

        TestContext.Current.TestOutputHelper!.WriteLine(string.Join(' ', all.Select(each => $"{each:F1}")));
        return all.Min();
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

        public static readonly Method<string, string> UnaryMethod = new(MethodKind.Unary, "fixed", "Unary", Marshaller, Marshaller);
        public static readonly Method<string, string> OneMethod = new(MethodKind.ServerStreaming, "fixed", "One", Marshaller, Marshaller);

        public static void Bind(ServiceBinder binder)
        {
            binder.Unary<FixedService, string, string>(UnaryMethod, static (_, request, _) => new ValueTask<string>(request));
            binder.ServerStreaming<FixedService, string, string>(OneMethod, static (_, _, _) => One());
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

        private static async IAsyncEnumerable<string> One()
        {
            await Task.CompletedTask;
            yield return "message";
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

        /// <summary>Calls of one message each way, one after the other.</summary>
        public async Task CallAsync(MethodKind kind, int calls)
        {
            for (var i = 0; i < calls; i++)
            {
                switch (kind)
                {
                    case MethodKind.Unary:
                        await _channel.Unary(FixedService.UnaryMethod, "message", default, default);
                        break;
                    case MethodKind.ServerStreaming:
                        await foreach (var _ in _channel.ServerStreaming(FixedService.OneMethod, "message", default, default))
                        {
                        }

                        break;
                    case MethodKind.ClientStreaming:
                        await SendAsync(1);
                        break;
                    default:
                        await using (var call = _channel.DuplexStreaming(FixedService.DuplexMethod, default, default))
                        {
                            await call.SendAsync("message");
                            await call.CompleteAsync();
                            await foreach (var _ in call.Responses)
                            {
                            }
                        }

                        break;
                }
            }
        }

        /// <summary>Duplex streams that have sent and received a message and wait for the next.</summary>
        public async Task<IdleStreams> OpenIdleAsync(int streams)
        {
            var idle = new IdleStreams(streams);
            for (var i = 0; i < streams; i++)
            {
                var call = _channel.DuplexStreaming(FixedService.DuplexMethod, default, default);
                var responses = call.Responses.GetAsyncEnumerator();
                await call.SendAsync("message");
                Assert.True(await responses.MoveNextAsync());
                idle.Add(call, responses);
            }

            return idle;
        }

        public async ValueTask DisposeAsync()
        {
            await _channel.DisposeAsync();
            await _serving.SoonAsync();
        }
    }
}

/// <summary>Streams that wait; disposing ends them in order.</summary>
internal sealed class IdleStreams(int count) : IAsyncDisposable
{
    private readonly List<(DuplexStreamingCall<string, string> Call, IAsyncEnumerator<string> Responses, Task<bool> Next)> _streams = new(count);

    public void Add(DuplexStreamingCall<string, string> call, IAsyncEnumerator<string> responses) => _streams.Add((call, responses, responses.MoveNextAsync().AsTask()));

    public async ValueTask DisposeAsync()
    {
        foreach (var (call, responses, next) in _streams)
        {
            await call.CompleteAsync();
            Assert.False(await next);
            await responses.DisposeAsync();
            await call.DisposeAsync();
        }
    }
}

/// <summary>Runs alone: other tests' allocations would count.</summary>
[CollectionDefinition(nameof(AllocationTests), DisableParallelization = true)]
public sealed class AllocationTestsCollection;
