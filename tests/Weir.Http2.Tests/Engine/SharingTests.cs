using System.Buffers.Binary;
using System.IO.Pipelines;
using Weir.Http2.Tests.Wire;

namespace Weir.Http2.Tests.Engine;

/// <summary>How streams, senders and control frames share one connection's output.</summary>
public sealed class SharingTests
{
    // A pipe that takes one write and then waits for the reader, so that the output gathers behind it.
    static PipeOptions Narrow => new(pauseWriterThreshold: 1, resumeWriterThreshold: 1, useSynchronizationContext: false);

    static (ushort, uint)[] WideWindows => [(4, int.MaxValue)];

    [Fact]
    public async Task Streams_with_backlogs_share_the_output_evenly()
    {
        await using var client = await ClientUnderTest.StartAsync(settings: WideWindows, pipes: Narrow);
        await client.Peer.SendAsync(WireFrame.WindowUpdate(0, int.MaxValue - 65_535));
        var streams = new List<TestStream>();
        for (int i = 0; i < 8; i++)
            streams.Add(await client.OpenAsync());
        List<Task> sends = [.. streams.SelectMany((s, i) => Enumerable.Range(0, 100 + (40 * i)).Select(_ => s.SendAsync(new byte[10_000])))];
        var octets = new Dictionary<int, int>();
        for (int total = 0; total < 2_500_000;)
        {
            WireFrame data = await client.SkipDataToAsync(WireFrameType.Data);
            total += data.Payload.Length;
            if (total > 500_000) // the first to come has filled the first writes
                octets[data.StreamId] = octets.GetValueOrDefault(data.StreamId) + data.Payload.Length;
        }

        Assert.Equal(8, octets.Count);
        Assert.True(octets.Values.Max() <= 3 * octets.Values.Min(), string.Join(", ", octets.Values));
        foreach (TestStream stream in streams)
            stream.Stream.Reset(Http2ErrorCode.Cancel, "enough");
        foreach (Task send in sends.Where(send => !send.IsCompletedSuccessfully))
            await Assert.ThrowsAsync<Http2StreamException>(() => send.Within("the end of a send"));
    }

    [Fact]
    public async Task Streams_that_send_message_by_message_get_runs_of_them_into_a_frame()
    {
        await using var client = await ClientUnderTest.StartAsync(new Http2Options { OutputHighWaterBytes = 64 * 1024 }, [(4, int.MaxValue), (3, 1_000)], Narrow);
        await client.Peer.SendAsync(WireFrame.WindowUpdate(0, int.MaxValue - 65_535));
        const int Streams = 500, Each = 400, Size = 100;
        var streams = new List<TestStream>();
        for (int i = 0; i < Streams; i++)
            streams.Add(await client.OpenAsync());
        Task[] senders = [.. streams.Select(stream => Task.Run(async () =>
        {
            for (int message = 0; message < Each; message++)
                await stream.SendAsync(new byte[Size]);
        }))];

        // A message a frame would be 200,000 frames, and each a wait of its sender.
        var frames = new Dictionary<int, int>();
        for (int total = 0; total < Streams * Each * Size;)
        {
            WireFrame data = await client.SkipDataToAsync(WireFrameType.Data);
            total += data.Payload.Length;
            frames[data.StreamId] = frames.GetValueOrDefault(data.StreamId) + 1;
        }

        await Task.WhenAll(senders).Within("all senders");
        Assert.Equal(Streams, frames.Count);
        Assert.InRange(frames.Values.Average(), 1, Each / 4);
    }

    [Fact]
    public async Task Streams_reset_in_the_middle_of_those_that_wait_leave_the_others_their_turns()
    {
        await using var client = await ClientUnderTest.StartAsync(new Http2Options { OutputHighWaterBytes = 16 * 1024 }, WideWindows, Narrow);
        await client.Peer.SendAsync(WireFrame.WindowUpdate(0, 1 << 28));
        var streams = new List<TestStream>();
        for (int i = 0; i < 9; i++)
            streams.Add(await client.OpenAsync());
        List<Task> sends = [.. streams.Select(stream => stream.SendAsync(new byte[100_000]))];
        foreach (int at in new[] { 8, 0, 4, 5 }) // the last, the first, and two side by side
        {
            streams[at].Stream.Reset(Http2ErrorCode.Cancel, "enough");
            await Assert.ThrowsAsync<Http2StreamException>(() => sends[at].Within("the end of a send"));
        }

        var left = new[] { 1, 2, 3, 6, 7 }.ToDictionary(at => streams[at].Stream.Id, _ => 100_000);
        while (left.Values.Any(octets => octets > 0))
        {
            WireFrame data = await client.SkipDataToAsync(WireFrameType.Data);
            if (left.ContainsKey(data.StreamId))
                left[data.StreamId] -= data.Payload.Length;
        }

        await Task.WhenAll(new[] { 1, 2, 3, 6, 7 }.Select(at => sends[at])).Within("the others");
    }

    [Fact]
    public async Task Ping_answer_and_WindowUpdate_go_ahead_of_data_that_waits()
    {
        await using var server = await ServerUnderTest.StartAsync(new Http2Options { StreamWindowBytes = 1_000 }, WideWindows, Narrow);
        await server.Peer.SendAsync(WireFrame.WindowUpdate(0, 1 << 28));
        TestStream stream = await server.OpenAsync(1);
        stream.Answer(endStream: false);
        await server.Peer.ReadHeadersAsync();
        var sends = Enumerable.Range(0, 60).Select(_ => stream.SendAsync(new byte[16_000])).ToList();
        await server.Peer.SendAsync(WireFrame.Data(1, new byte[900]));
        await stream.ReadAsync(900);
        await server.Peer.SendAsync(WireFrame.Ping(42));
        int before = 0;
        while ((await server.Peer.ReadFrameAsync("the PING's answer")).Type != WireFrameType.Ping)
            before++;
        // Behind what was taken by the write under way, ahead of the rest: 960,000 octets make 60 frames or so.
        Assert.InRange(before, 0, 45);
        Assert.Contains(server.Peer.Seen, frame => frame.Type == WireFrameType.WindowUpdate && frame.StreamId == 1 && frame.Increment == 900);
        while (!sends.TrueForAll(send => send.IsCompleted))
            await server.Peer.ReadFrameAsync(WireFrameType.Data);
    }

    [Fact]
    public async Task Payloads_of_one_stream_share_a_Data_frame()
    {
        await using var client = await ClientUnderTest.StartAsync(pipes: Narrow);
        TestStream stream = await client.OpenAsync();
        Assert.True(stream.Stream.TrySend(new Octets(new byte[1]))); // keeps the write busy
        for (int i = 0; i < 100; i++)
            Assert.True(stream.Stream.TrySend(new Octets(new byte[50])));
        List<WireFrame> data = (await client.FenceAsync()).FindAll(frame => frame.Type == WireFrameType.Data);
        Assert.Equal(5_001, data.Sum(frame => frame.Payload.Length));
        Assert.InRange(data.Count, 1, 5);
    }

    [Fact]
    public async Task Senders_from_many_tasks_keep_each_payload_whole_and_each_senders_order()
    {
        await using var client = await ClientUnderTest.StartAsync(new Http2Options { OutputHighWaterBytes = 16 * 1024 }, WideWindows);
        await client.Peer.SendAsync(WireFrame.WindowUpdate(0, 1 << 28));
        TestStream stream = await client.OpenAsync();
        const int Senders = 8, Each = 300, Size = 100;
        Task[] senders = [.. Enumerable.Range(0, Senders).Select(sender => Task.Run(async () =>
        {
            for (int i = 0; i < Each; i++)
            {
                var payload = new byte[Size];
                Array.Fill(payload, (byte)sender);
                BinaryPrimitives.WriteInt32BigEndian(payload, i);
                await stream.SendAsync(payload);
            }
        }))];
        var all = new List<byte>();
        while (all.Count < Senders * Each * Size)
            all.AddRange((await client.SkipDataToAsync(WireFrameType.Data)).Content.ToArray());
        await Task.WhenAll(senders).Within("all senders");
        var next = new int[Senders];
        foreach (byte[] payload in all.Chunk(Size))
        {
            byte sender = payload[4];
            Assert.All(payload.AsMemory(4).ToArray(), octet => Assert.Equal(sender, octet));
            Assert.Equal(next[sender]++, BinaryPrimitives.ReadInt32BigEndian(payload));
        }
    }

    [Fact]
    public async Task One_waiting_sender_too_many_gets_an_InvalidOperationException()
    {
        await using var client = await ClientUnderTest.StartAsync(new Http2Options { MaxWaitingSenders = 2 }, [(4, 0)]);
        TestStream stream = await client.OpenAsync();
        Task[] waiting = [stream.SendAsync([1]), stream.SendAsync([2])];
        var error = await Assert.ThrowsAsync<InvalidOperationException>(() => stream.SendAsync([0]));
        Assert.Contains("3 senders", error.Message, StringComparison.Ordinal);
        Assert.Contains("2 (MaxWaitingSenders)", error.Message, StringComparison.Ordinal);
        await client.Peer.SendAsync(WireFrame.WindowUpdate(1, 100));
        await Task.WhenAll(waiting).Within("the two that wait");
        await stream.SendAsync([3]);
    }

    [Fact]
    public async Task Cancelled_send_that_waits_leaves_the_queue_and_the_next_goes_on()
    {
        await using var client = await ClientUnderTest.StartAsync(settings: [(4, 0)]);
        TestStream stream = await client.OpenAsync();
        using var stop = new CancellationTokenSource();
        Task[] sends = [stream.SendUntilAsync([1], stop.Token), stream.SendAsync([2]), stream.SendUntilAsync([3], stop.Token), stream.SendAsync([4])];
        await stop.CancelAsync();
        foreach (int cancelled in new[] { 0, 2 })
            Assert.Equal(stop.Token, (await Assert.ThrowsAnyAsync<OperationCanceledException>(() => sends[cancelled].Within("it"))).CancellationToken);
        await client.Peer.SendAsync(WireFrame.WindowUpdate(1, 100));
        await Task.WhenAll(sends[1], sends[3]).Within("the others");
        List<byte> data = [];
        while (data.Count < 2)
            data.AddRange((await client.SkipDataToAsync(WireFrameType.Data)).Payload);
        Assert.Equal([2, 4], data);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => stream.SendUntilAsync([5], stop.Token));
    }

    [Fact]
    public async Task Cancelling_the_only_send_that_waits_lets_the_end_of_the_stream_out()
    {
        await using var client = await ClientUnderTest.StartAsync(settings: [(4, 0)]);
        TestStream stream = await client.OpenAsync();
        using var stop = new CancellationTokenSource();
        Task send = stream.SendUntilAsync([1], stop.Token);
        stream.Stream.SendEndOfStream();
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => send.Within("the send"));
        Assert.True((await client.Peer.ReadFrameAsync(WireFrameType.Data)).IsEndStream);
    }

    [Fact]
    public async Task Cancelling_a_send_whose_first_octets_are_out_has_no_effect()
    {
        await using var client = await ClientUnderTest.StartAsync(settings: [(4, 1)]);
        TestStream stream = await client.OpenAsync();
        using var stop = new CancellationTokenSource();
        Task send = stream.SendUntilAsync([1, 2, 3], stop.Token);
        await stop.CancelAsync();
        Assert.False(send.IsCompleted);
        await client.Peer.SendAsync(WireFrame.WindowUpdate(1, 2));
        await send.Within("the send");
        await client.FenceAsync();
        Assert.Equal(3, client.Peer.Seen.Where(f => f.Type == WireFrameType.Data).Sum(f => f.Payload.Length));
    }

    [Fact]
    public async Task Output_stays_bounded_when_the_peer_never_reads()
    {
        await using var client = await ClientUnderTest.StartAsync(new Http2Options { OutputHighWaterBytes = 16 * 1024 }, WideWindows, Narrow);
        await client.Peer.SendAsync(WireFrame.WindowUpdate(0, 1 << 28));
        TestStream stream = await client.OpenAsync();
        int sent = 0;
        while (stream.Stream.TrySend(new Octets(new byte[1_000])))
            Assert.InRange(++sent, 1, 100);
        var slot = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        client.Connection.StreamSlotFreed += slot.SetResult;
        int opened = 0;
        while (client.TryOpen() is { } next)
        {
            next.Stream.Reset(Http2ErrorCode.Cancel, "never mind");
            Assert.InRange(++opened, 1, 5_000);
        }

        Assert.InRange(client.Connection.Frames.Output.Length, 16 * 1024, (2 * 16 * 1024) + 1_000);
        await client.FenceAsync();
        await slot.Task.Within("StreamSlotFreed");
        Assert.NotNull(client.TryOpen());
    }

    [Fact]
    public async Task Payload_that_throws_sends_nothing_and_the_next_is_whole()
    {
        await using var client = await ClientUnderTest.StartAsync();
        TestStream stream = await client.OpenAsync();
        Assert.Throws<NotSupportedException>(() => stream.Stream.TrySend(new Throwing()));
        await stream.SendAsync([1, 2]);
        Assert.Equal([1, 2], (await client.Peer.ReadFrameAsync(WireFrameType.Data)).Payload);
        await client.CheckNextStreamAsync();
    }

    readonly struct Throwing : IPayload
    {
        public int Length => 10;

        public void WriteTo(Span<byte> destination)
        {
            destination.Fill(0xff);
            throw new NotSupportedException();
        }
    }
}
