using System.Threading.Channels;
using Grpc.Core;
using Grpc.Net.Client;
using Weir.Classic;

namespace Weir.Bench;

/// <summary>Pings at a fixed rate over the round's streams, each sent when its time has come whether or not earlier ones are answered. A stream takes one
/// write at a time, so what is due queues for a task of its stream. Every stream has been opened by a ping of its own before, which does not count.</summary>
internal sealed class OpenLoop(GrpcChannel channel, int perSecond)
{
    private readonly ChatMessage _message = Payload.Message(Payload.Echo);

    public async Task RunAsync(Round round)
    {
        var chat = new ChatService.ChatServiceClient(channel);
        var calls = Enumerable.Range(0, round.Width).Select(_ => chat.Chat()).ToArray();
        var due = calls.Select(_ => Channel.CreateUnbounded<int>(new UnboundedChannelOptions { SingleReader = true, SingleWriter = true })).ToArray();
        try
        {
            foreach (var call in calls)
            {
                await call.RequestStream.WriteAsync(_message);
                await NextAsync(call);
            }

            round.Answered();
            var schedule = new Schedule(round.Count, perSecond, round.Width);
            var receiving = calls.Select((call, stream) => Task.Run(() => ReceiveAsync(call, stream, schedule))).ToArray();
            var sending = calls.Select((call, stream) => Task.Run(() => SendAsync(call, due[stream].Reader))).ToArray();
            await Task.Factory.StartNew(() => Queue(due, schedule), TaskCreationOptions.LongRunning);
            await Task.WhenAll([.. sending, .. receiving]);
            round.Done(round.Count, _message.CalculateSize());
            round.Remark = schedule.Report();
        }
        finally
        {
            foreach (var call in calls)
                call.Dispose();
        }
    }

    private static void Queue(Channel<int>[] due, Schedule schedule)
    {
        for (var i = 0; i < schedule.Pings; i++)
        {
            schedule.WaitFor(i);
            due[i % due.Length].Writer.TryWrite(i);
        }

        foreach (var queue in due)
            queue.Writer.Complete();
    }

    private async Task SendAsync(AsyncDuplexStreamingCall<ChatMessage, ChatMessage> call, ChannelReader<int> due)
    {
        while (await due.WaitToReadAsync())
        {
            while (due.TryRead(out _))
                await call.RequestStream.WriteAsync(_message);
        }

        await call.RequestStream.CompleteAsync();
    }

    private static async Task ReceiveAsync(AsyncDuplexStreamingCall<ChatMessage, ChatMessage> call, int stream, Schedule schedule)
    {
        for (var i = 0; i < schedule.Share(stream); i++)
        {
            await NextAsync(call);
            schedule.Answered(stream, i);
        }
    }

    private static async Task NextAsync(AsyncDuplexStreamingCall<ChatMessage, ChatMessage> call)
    {
        if (!await call.ResponseStream.MoveNext(CancellationToken.None))
            throw new InvalidDataException("a stream ended before its last answer");
    }
}
