using Weir.Classic;
using Weir.Rpc;

namespace Weir.Bench;

/// <summary>Pings at a fixed rate over the round's streams, each sent when its time has come whether or not earlier ones are answered. Every stream has
/// been opened by a ping of its own before, which does not count.</summary>
internal sealed class OpenLoop(RpcChannel channel, int perSecond)
{
    private readonly ChatMessage _message = Payload.Message(Payload.Echo);

    public async Task RunAsync(Round round)
    {
        var chat = new ChatService.Client(channel);
        var calls = Enumerable.Range(0, round.Width).Select(_ => chat.Chat()).ToArray();
        var answers = calls.Select(call => call.Responses.GetAsyncEnumerator()).ToArray();
        try
        {
            await Task.WhenAll(calls.Select(call => call.SendAsync(_message).AsTask()));
            await Task.WhenAll(answers.Select(NextAsync));
            round.Answered();
            var schedule = new Schedule(round.Count, perSecond, round.Width);
            var receiving = answers.Select((each, stream) => Task.Run(() => ReceiveAsync(each, stream, schedule))).ToArray();
            await Task.Factory.StartNew(() => SendAsync(calls, schedule), TaskCreationOptions.LongRunning).Unwrap();
            await Task.WhenAll(receiving);
            round.Done(round.Count, _message.CalculateSize());
            round.Remark = schedule.Report();
        }
        finally
        {
            foreach (var call in calls)
                await call.CompleteAsync();
            foreach (var each in answers)
                await each.DisposeAsync();
            foreach (var call in calls)
                await call.DisposeAsync();
        }
    }

    private async Task SendAsync(DuplexStreamingCall<ChatMessage, ChatMessage>[] calls, Schedule schedule)
    {
        for (var i = 0; i < schedule.Pings; i++)
        {
            schedule.WaitFor(i);
            await calls[i % calls.Length].SendAsync(_message);
        }
    }

    private static async Task ReceiveAsync(IAsyncEnumerator<ChatMessage> answers, int stream, Schedule schedule)
    {
        for (var i = 0; i < schedule.Share(stream); i++)
        {
            await NextAsync(answers);
            schedule.Answered(stream, i);
        }
    }

    private static async Task NextAsync(IAsyncEnumerator<ChatMessage> answers)
    {
        if (!await answers.MoveNextAsync())
            throw new InvalidDataException("a stream ended before its last answer");
    }
}
