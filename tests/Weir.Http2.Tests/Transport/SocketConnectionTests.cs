using System.Net;
using System.Net.Sockets;
using Weir.Http2.Tests.Engine;
using Weir.Http2.Transport;

namespace Weir.Http2.Tests.Transport;

/// <summary>Two engines over real sockets.</summary>
public sealed class SocketConnectionTests
{
    const int StreamBytes = 3_000_000;

    static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Streams_read_in_every_way_get_their_own_octets_while_others_are_left_unread_or_reset()
    {
        var handler = new Handler();
        (Http2Connection client, Http2Connection server) = await ConnectAsync(handler);
        TestStream[] streams = [.. Enumerable.Range(0, 6).Select(_ => Open(client))];
        Task[] sends = [.. streams.Select(SendAllAsync)];

        // Stream 1 is read in sips, 3 message by message, 5 in pieces larger than any window, 7 to its end; 9 is left unread and 11 reset after a while.
        Task<byte[]>[] reads =
        [
            ReadInPiecesAsync(await handler.StreamAsync(1), 1_000),
            ReadInPiecesAsync(await handler.StreamAsync(3), 65_536),
            ReadInPiecesAsync(await handler.StreamAsync(5), 2_000_000),
            (await handler.StreamAsync(7)).ReadToEndAsync(),
        ];
        TestStream unread = await handler.StreamAsync(9), broken = await handler.StreamAsync(11);
        await broken.ReadAsync(500_000).Within("half a million octets");
        broken.Stream.Reset(Http2ErrorCode.Cancel, "enough");
        for (int i = 0; i < reads.Length; i++)
            CheckOctets(1 + (2 * i), await reads[i].Within($"the octets of stream {1 + (2 * i)}"));
        CheckOctets(9, await unread.ReadToEndAsync());
        await Assert.ThrowsAsync<Http2StreamException>(() => sends[5]);
        await Task.WhenAll(sends[..5]).Within("the sends");
        await client.DisposeAsync();
        await server.DisposeAsync();
    }

    static async Task SendAllAsync(TestStream stream)
    {
        byte[] octets = Octets(stream.Stream.Id);
        var sizes = new Random(stream.Stream.Id);
        for (int at = 0; at < octets.Length;)
        {
            int size = Math.Min(octets.Length - at, sizes.Next(3) == 0 ? sizes.Next(1, 200_000) : sizes.Next(1, 2_000));
            await stream.SendAsync(octets[at..(at + size)]);
            at += size;
        }

        stream.Stream.SendEndOfStream();
    }

    static async Task<byte[]> ReadInPiecesAsync(TestStream stream, int bytes)
    {
        List<byte> all = [];
        while (all.Count < StreamBytes)
            all.AddRange(await stream.ReadAsync(Math.Min(bytes, StreamBytes - all.Count)));
        return [.. all];
    }

    static void CheckOctets(int streamId, byte[] received) =>
        Assert.True(Octets(streamId).AsSpan().SequenceEqual(received), $"stream {streamId} has brought other octets than were sent on it");

    static byte[] Octets(int streamId)
    {
        byte[] octets = new byte[StreamBytes];
        new Random(streamId * 1_000).NextBytes(octets);
        return octets;
    }

    static TestStream Open(Http2Connection client)
    {
        var stream = new TestStream();
        Assert.NotNull(client.TryOpenStream(stream, ClientUnderTest.Post, endStream: false, created => stream.Stream = created));
        return stream;
    }

    static async Task<(Http2Connection Client, Http2Connection Server)> ConnectAsync(Handler handler)
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen(1);
        SocketPipe first = await SocketPipe.ConnectAsync(new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp), listener.LocalEndPoint!, Stop);
        var server = Http2Connection.CreateServer(new SocketPipe(await listener.AcceptAsync(Stop)), handler);
        var client = Http2Connection.CreateClient(first);
        _ = server.RunAsync();
        _ = client.RunAsync();
        Assert.True(await client.Ready.Within("SETTINGS"));
        return (client, server);
    }

    sealed class Handler : IHttp2ServerHandler
    {
        readonly Dictionary<int, TaskCompletionSource<TestStream>> _streams = [];

        public IHttp2StreamListener OnRequest(Http2Stream stream, ReadOnlySpan<HeaderField> headers, bool endStream)
        {
            var listener = new TestStream { Stream = stream };
            Slot(stream.Id).SetResult(listener);
            return listener;
        }

        public Task<TestStream> StreamAsync(int id) => Slot(id).Task.Within($"stream {id}");

        TaskCompletionSource<TestStream> Slot(int id)
        {
            lock (_streams)
            {
                if (!_streams.TryGetValue(id, out TaskCompletionSource<TestStream>? slot))
                    _streams.Add(id, slot = new(TaskCreationOptions.RunContinuationsAsynchronously));
                return slot;
            }
        }
    }
}
