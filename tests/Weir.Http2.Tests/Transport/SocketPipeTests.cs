using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using Weir.Http2.Tests.Engine;
using Weir.Http2.Transport;
using Weir.Http2.Transport.Polling;

namespace Weir.Http2.Tests.Transport;

/// <summary>Sockets as pipes, over loopback.</summary>
public sealed class SocketPipeTests
{
    static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Octets_make_the_round_trip_in_order_whatever_their_number()
    {
        (SocketPipe first, SocketPipe second) = await ConnectAsync();
        byte[] octets = [.. Enumerable.Range(0, 3_000_000).Select(i => (byte)(i % 253))];
        Task write = Task.Run(async () =>
        {
            await first.Output.WriteAsync(octets.AsMemory(0, 1), Stop);
            await first.Output.WriteAsync(octets.AsMemory(1, 1_500_000), Stop); // far more than the socket takes at once
            octets.AsSpan(1_500_001, 1_000).CopyTo(first.Output.GetSpan(1_000));
            first.Output.Advance(1_000);
            Assert.Equal(1_000, first.Output.UnflushedBytes);
            await first.Output.FlushAsync(Stop);
            octets.AsSpan(1_501_001, 9).CopyTo(first.Output.GetMemory().Span);
            first.Output.Advance(9);
            await first.Output.WriteAsync(octets.AsMemory(1_501_010), Stop); // behind what was gathered
            await first.Output.CompleteAsync();
        }, Stop);
        Assert.Equal(octets, await ReadToEndAsync(second));
        await write.Within("the writes");
        await second.Output.CompleteAsync();
        Assert.Empty(await ReadToEndAsync(first));
    }

    [Fact]
    public async Task Unconsumed_octets_stay_and_the_next_read_waits_for_more_when_all_were_examined()
    {
        (SocketPipe first, SocketPipe second) = await ConnectAsync();
        await first.Output.WriteAsync(new byte[] { 1, 2, 3 }, Stop);
        ReadResult result = await second.Input.ReadAtLeastAsync(3, Stop);
        second.Input.AdvanceTo(result.Buffer.GetPosition(1)); // not examined: the rest comes at once
        Assert.True(second.Input.TryRead(out result));
        Assert.Equal(2, result.Buffer.Length);
        second.Input.AdvanceTo(result.Buffer.Start, result.Buffer.End);
        Assert.False(second.Input.TryRead(out _));
        Task<ReadResult> more = second.Input.ReadAtLeastAsync(70_002, Stop).AsTask();
        await first.Output.WriteAsync(new byte[70_000], Stop);
        result = await more.Within("70,002 octets");
        Assert.Equal(2, result.Buffer.FirstSpan[0]);
        Assert.Equal(70_002, result.Buffer.Length);
        second.Input.AdvanceTo(result.Buffer.End);
        await CloseAsync(first, second);
    }

    [Fact]
    public async Task Reader_holds_no_array_while_nothing_comes_however_much_came_before()
    {
        if (!PolledStreamSocket.IsSupported)
            Assert.Skip("sockets of the runtime wait with a buffer");
        (SocketPipe first, SocketPipe second) = await ConnectAsync();
        var reader = (SocketPipeReader)second.Input;
        foreach (int bytes in new[] { 1, 4096, 3_000_000, 64 })
        {
            Task<FlushResult> write = first.Output.WriteAsync(new byte[bytes], Stop).AsTask();
            for (int left = bytes; left > 0;)
            {
                ReadResult result = await reader.ReadAsync(Stop).AsTask().Within("octets");
                Assert.InRange(reader.HeldBytes, 1, 128 * 1024);
                left -= (int)result.Buffer.Length;
                reader.AdvanceTo(result.Buffer.End);
            }

            await write.Within("the write");
            Task<ReadResult> next = reader.ReadAsync(Stop).AsTask();
            Assert.False(next.IsCompleted);
            Assert.Equal(0, reader.HeldBytes);
            reader.CancelPendingRead();
            ReadResult cancelled = await next.Within("the cancelled read");
            reader.AdvanceTo(cancelled.Buffer.End);
        }

        await CloseAsync(first, second);
    }

    [Fact]
    public async Task Half_close_lets_the_other_direction_go_on()
    {
        (SocketPipe first, SocketPipe second) = await ConnectAsync();
        await first.Output.CompleteAsync();
        Assert.Empty(await ReadToEndAsync(second, complete: false));
        await second.Output.WriteAsync(new byte[] { 7 }, Stop);
        await second.Output.CompleteAsync();
        Assert.Equal([7], await ReadToEndAsync(first));
        await second.Input.CompleteAsync();
    }

    [Fact]
    public async Task CancelPendingRead_ends_the_read_under_way_or_the_next_and_nothing_is_lost()
    {
        (SocketPipe first, SocketPipe second) = await ConnectAsync();
        Task<ReadResult> read = second.Input.ReadAsync(Stop).AsTask();
        second.Input.CancelPendingRead();
        ReadResult result = await read.Within("the cancelled read");
        Assert.True(result.IsCanceled && result.Buffer.IsEmpty);
        second.Input.AdvanceTo(result.Buffer.End);
        second.Input.CancelPendingRead();
        result = await second.Input.ReadAsync(Stop).AsTask().Within("the next read");
        Assert.True(result.IsCanceled);
        second.Input.AdvanceTo(result.Buffer.End);
        using var stop = new CancellationTokenSource();
        read = second.Input.ReadAsync(stop.Token).AsTask();
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => read.Within("the read whose token fired"));
        await first.Output.WriteAsync(new byte[] { 5 }, Stop);
        result = await second.Input.ReadAsync(Stop).AsTask().Within("the octet");
        Assert.Equal((false, 1), (result.IsCanceled, (int)result.Buffer.Length));
        second.Input.AdvanceTo(result.Buffer.End);
        await CloseAsync(first, second);
    }

    [Fact]
    public async Task CancelPendingFlush_ends_a_write_that_a_slow_reader_holds_up()
    {
        (SocketPipe first, SocketPipe second) = await ConnectAsync();
        Task<FlushResult> write = first.Output.WriteAsync(new byte[64 << 20], Stop).AsTask();
        first.Output.CancelPendingFlush();
        Assert.True((await write.Within("the cancelled write")).IsCanceled);
        first.Output.CancelPendingFlush();
        Assert.True((await first.Output.WriteAsync(new byte[1], Stop)).IsCanceled);
        await CloseAsync(first, second);
    }

    [Fact]
    public async Task Reset_by_the_peer_throws_IOException()
    {
        (Socket first, Socket second) = await SocketsAsync();
        var pipe = new SocketPipe(first);
        second.LingerState = new LingerOption(true, 0);
        second.Dispose();
        await Assert.ThrowsAsync<IOException>(() => pipe.Input.ReadAsync(Stop).AsTask().Within("the reset"));
        await Assert.ThrowsAsync<IOException>(() => pipe.Output.WriteAsync(new byte[1], Stop).AsTask().Within("the write"));
        await pipe.Input.CompleteAsync();
        await pipe.Output.CompleteAsync();
        Assert.Throws<InvalidOperationException>(() => pipe.Input.TryRead(out _));
        Assert.Throws<InvalidOperationException>(() => pipe.Output.GetMemory());
        Assert.Throws<ObjectDisposedException>(() => first.Available);
    }

    static async Task<(SocketPipe First, SocketPipe Second)> ConnectAsync()
    {
        (Socket first, Socket second) = await SocketsAsync();
        return (new SocketPipe(first), new SocketPipe(second));
    }

    static async Task<(Socket First, Socket Second)> SocketsAsync()
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen(1);
        var first = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await first.ConnectAsync(listener.LocalEndPoint!, Stop);
        return (first, await listener.AcceptAsync(Stop));
    }

    static async Task<byte[]> ReadToEndAsync(SocketPipe pipe, bool complete = true)
    {
        var all = new List<byte>();
        while (true)
        {
            ReadResult result = await pipe.Input.ReadAsync(Stop).AsTask().Within("octets or the end");
            foreach (ReadOnlyMemory<byte> segment in result.Buffer)
                all.AddRange(segment.Span);
            pipe.Input.AdvanceTo(result.Buffer.End);
            if (result.IsCompleted)
                break;
        }

        if (complete)
            await pipe.Input.CompleteAsync();
        return [.. all];
    }

    static async Task CloseAsync(params SocketPipe[] pipes)
    {
        foreach (SocketPipe pipe in pipes)
        {
            await pipe.Output.CompleteAsync();
            await pipe.Input.CompleteAsync();
        }
    }
}
