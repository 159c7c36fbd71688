using System.IO.Pipelines;
using Weir.Http2.Tests.Wire;

namespace Weir.Http2.Tests.Engine;

/// <summary>Sending and receiving small messages between two engines allocates nothing by the message.</summary>
[Collection("Alone")]
public sealed class AllocationTests
{
    const int Messages = 100_000;
    const int Size = 40;

    // What is left is by the write, not by the message: work items of the pipe in memory, and one for each sender that has waited.
    const int Most = 4 * Messages;

    [Fact]
    public async Task Small_messages_allocate_less_than_four_octets_each()
    {
        // Large segments: the pool keeps too few of the usual ones for a write of the output's whole size.
        var (clientEnd, serverEnd) = DuplexPipePair.Create(new PipeOptions(minimumSegmentSize: 128 * 1024, useSynchronizationContext: false));
        var handler = new Handler();
        Http2Connection client = Http2Connection.CreateClient(clientEnd);
        Http2Connection server = Http2Connection.CreateServer(serverEnd, handler);
        _ = server.RunAsync();
        _ = client.RunAsync();
        Assert.True(await client.Ready.Within("Ready"));
        var sender = new TestStream();
        sender.Stream = client.TryOpenStream(sender, ClientUnderTest.Post, endStream: false)!;
        Reader reader = await handler.Opened.Task.Within("the request");

        await PassAsync(sender, reader); // warms up
        long least = long.MaxValue;
        // Several rounds: which thread of the pool finds arrays in its own cache changes until each has some.
        for (int round = 0; round < 20 && least >= Most; round++)
        {
            long before = GC.GetTotalAllocatedBytes(precise: true);
            await PassAsync(sender, reader);
            least = Math.Min(least, GC.GetTotalAllocatedBytes(precise: true) - before);
        }

        Assert.InRange(least, 0, Most - 1);
        sender.Stream.Reset(Http2ErrorCode.Cancel, "done");
        await Task.WhenAll(client.DisposeAsync().AsTask(), server.DisposeAsync().AsTask()).Within("the end");
    }

    [Fact]
    public void Measuring_the_round_trip_and_growing_allocate_nothing()
    {
        var growth = new WindowGrowth(TimeProvider.System);
        var window = new ReceiveWindow(1 << 20);
        Measure(growth, ref window); // warms up
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 10_000; i++)
            Measure(growth, ref window);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.NotNull(growth.RoundTrip.Least);
    }

    static void Measure(WindowGrowth growth, ref ReceiveWindow window)
    {
        window.TryReceive(1 << 19);
        growth.RoundTrip.CountReceived(1 << 19);
        window.Consume(1 << 19);
        window.Grow(growth.OnBatch(ref window, window.SizeBytes, window.KeptUp, int.MaxValue, out bool ping));
        if (ping)
            growth.RoundTrip.TryAnswer();
    }

    static async Task PassAsync(TestStream sender, Reader reader)
    {
        Task read = reader.ReadAsync((long)Messages * Size);
        await Task.Run(() => SendAllAsync(sender.Stream)).Within("all sends"); // away from the runner's context, which allocates
        await read.Within("all messages");
    }

    static async Task SendAllAsync(Http2Stream stream)
    {
        var payload = new Octets(new byte[Size]);
        for (int i = 0; i < Messages; i++)
            await stream.SendAsync(payload);
    }

    sealed class Handler : IHttp2ServerHandler
    {
        public TaskCompletionSource<Reader> Opened { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public IHttp2StreamListener OnRequest(Http2Stream stream, ReadOnlySpan<HeaderField> headers, bool endStream)
        {
            var reader = new Reader(stream);
            Opened.SetResult(reader);
            return reader;
        }
    }

    /// <summary>Consumes on the read loop: whenever it is told, all that is there.</summary>
    sealed class Reader(Http2Stream stream) : IHttp2StreamListener
    {
        TaskCompletionSource? _done;
        long _left;

        public Task ReadAsync(long count)
        {
            _left = count;
            _done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            Task done = _done.Task;
            if (!stream.WaitForData(1))
                OnReadable();
            return done;
        }

        public void OnHeaders(ReadOnlySpan<HeaderField> headers, bool endStream)
        {
        }

        public void OnReadable()
        {
            do
            {
                while (stream.TryRead(1, out var data))
                {
                    _left -= data.Length;
                    stream.Consume((int)data.Length);
                }

                if (_left == 0)
                {
                    _done!.SetResult();
                    return;
                }
            }
            while (!stream.WaitForData(1));
        }

        public void OnAborted(Http2StreamAbort abort) => _done?.TrySetException(new Http2StreamException(abort));
    }
}

/// <summary>Tests that measure the whole process run alone.</summary>
[CollectionDefinition("Alone", DisableParallelization = true)]
public sealed class AloneDefinition;
