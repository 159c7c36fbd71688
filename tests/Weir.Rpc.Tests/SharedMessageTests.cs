using System.Globalization;
using System.Runtime.CompilerServices;
using Weir.Rpc.Tests.Support;

namespace Weir.Rpc.Tests;

/// <summary>Messages that many calls send: serialised once, and on the wire like any other.</summary>
public sealed class SharedMessageTests
{

    [Fact]
    public void A_message_is_serialised_once_for_each_method_and_compression()
    {
        var marshaller = new CountingMarshaller();
        var shared = new SharedMessage<string>(new string('x', 1000));
        var (plain, size) = shared.Encode(marshaller, null);
        Assert.Equal((1000, 1005, 0), (size, plain.Length, plain[0]));
        var (compressed, sizeBefore) = shared.Encode(marshaller, MessageCompression.Gzip);
        Assert.Equal((1000, 1), (sizeBefore, compressed[0]));
        Assert.InRange(compressed.Length, 6, 100);
        Assert.Equal(2, marshaller.Written);
        for (var i = 0; i < 3; i++)
        {
            Assert.Same(plain, shared.Encode(marshaller, null).Octets);
            Assert.Same(compressed, shared.Encode(marshaller, MessageCompression.Gzip).Octets);
        }

        Assert.Equal(2, marshaller.Written);
        Assert.NotSame(plain, shared.Encode(new CountingMarshaller(), null).Octets); // another method's messages may look otherwise
    }

    [Fact]
    public void First_sends_at_the_same_time_agree_on_the_octets()
    {
        for (var i = 0; i < 200; i++)
        {
            var shared = new SharedMessage<string>("first");
            using var start = new Barrier(4);
            var octets = new byte[4][];
            var threads = Enumerable.Range(0, 4).Select(at => new Thread(() =>
            {
                start.SignalAndWait();
                octets[at] = shared.Encode(TextMarshaller.Instance, null).Octets;
            })).ToArray();
            Array.ForEach(threads, thread => thread.Start());
            Array.ForEach(threads, thread => thread.Join());
            Assert.All(octets, each => Assert.Same(octets[0], each));
        }
    }

    [Theory]
    [InlineData(10, 3)]
    [InlineData(2_000, 1_000)] // more than the stream's window
    [InlineData(5, 100_000)]   // each more than goes at once
    public async Task Every_call_gets_all_messages_whole_and_in_order(int messages, int length)
    {
        await using var host = new TestHost();
        var shared = Messages(messages, length);
        host.Service.OnServer = (_, call) =>
        {
            var sender = call.GetSender<string>();
            call.Run(async token =>
            {
                await sender.SendAsync(shared, token);
                await sender.SendAsync(new SharedMessage<string>("last"), token);
            });
            return AsyncEnumerable.Empty<string>();
        };
        string[] expected = [.. shared.Select(message => message.Message), "last"];
        var calls = Enumerable.Range(0, 5).Select(_ => host.ServerStream("").ToListAsync()).ToArray();
        foreach (var call in calls)
        {
            Assert.Equal(expected, await call.SoonAsync());
        }
    }

    [Fact]
    public async Task Responses_that_are_shared_messages_are_sent_in_runs()
    {
        await using var host = new TestHost();
        var shared = Messages(1_000, 20);
        host.Service.OnServer = (_, _) => new Runs(shared, 64);
        Assert.Equal(shared.Select(message => message.Message), await host.ServerStream("").ToListAsync().SoonAsync());
    }

    [Fact]
    public async Task Responses_made_of_single_shared_messages_send_together_what_is_there()
    {
        var go = new TaskCompletionSource();
        await using var runs = Some(go.Task).ToResponses().InRuns(default).GetAsyncEnumerator();
        Assert.Equal(64, (await NextAsync()).Length);
        Assert.Equal(36, (await NextAsync()).Length); // the next has to be waited for
        var last = NextAsync();
        Assert.False(last.IsCompleted);
        go.SetResult();
        Assert.Equal(["last"], (await last.SoonAsync()).Select(message => message.Message));
        Assert.False(await runs.MoveNextAsync().SoonAsync());
        Assert.Equal(101, (await Some(Task.CompletedTask).ToResponses().ToListAsync().SoonAsync()).Count);
        Assert.Throws<ArgumentNullException>(() => SharedMessages.ToResponses<string>(null!));

        async Task<SharedMessage<string>[]> NextAsync()
        {
            Assert.True(await runs.MoveNextAsync());
            return runs.Current.ToArray();
        }
    }

    [Fact]
    public async Task An_error_among_single_shared_messages_comes_behind_those_before_it()
    {
        await using var host = new TestHost();
        host.Service.OnServer = (_, _) => Failing().ToResponses();
        await using var responses = host.ServerStream("").GetAsyncEnumerator();
        Assert.True(await responses.MoveNextAsync().SoonAsync());
        Assert.Equal("before", responses.Current);
        await responses.MoveNextAsync().AsTask().FailsAsync(StatusCode.Aborted);

        static async IAsyncEnumerable<SharedMessage<string>> Failing()
        {
            await Task.Yield();
            yield return new SharedMessage<string>("before");
            throw new RpcException(StatusCode.Aborted, "enough");
        }
    }

    [Fact]
    public async Task Responses_left_while_the_next_is_waited_for_end_their_source()
    {
        await using var host = new TestHost(server => server.MaxSendMessageBytes = 10);
        var ended = new TaskCompletionSource();
        host.Service.OnServer = (_, _) => Waiting().ToResponses();
        await host.ServerStream("").ToListAsync().FailsAsync(StatusCode.ResourceExhausted); // the first is refused
        await ended.Task.SoonAsync();

        async IAsyncEnumerable<SharedMessage<string>> Waiting([EnumeratorCancellation] CancellationToken cancellationToken = default)
        {
            try
            {
                yield return new SharedMessage<string>("more than ten");
                await Task.Delay(Timeout.Infinite, cancellationToken);
            }
            finally
            {
                ended.SetResult();
            }
        }
    }

    [Fact]
    public async Task Calls_that_compress_get_the_same_message_compressed()
    {
        await using var host = new TestHost();
        var shared = Messages(20, 500);
        host.Service.OnServer = (request, call) =>
        {
            if (request.Length > 0)
            {
                call.ResponseCompression = MessageCompression.Gzip;
                call.ResponsesUncompressed = request == "uncompressed";
            }

            return new Runs(shared, 7);
        };
        foreach (var (request, compressed) in new[] { ("", 0), ("compressed", 20), ("uncompressed", 0) })
        {
            await using var call = host.ServerStream(request);
            Assert.Equal(shared.Select(message => message.Message), await call.ToListAsync().SoonAsync());
            Assert.Equal(compressed, call.CompressedResponses);
        }
    }

    [Fact]
    public async Task A_message_above_the_limit_is_refused_behind_those_before_it_and_the_call_goes_on()
    {
        await using var host = new TestHost(server => server.MaxSendMessageBytes = 1_000);
        var large = new SharedMessage<string>(new string('x', 1_001));
        host.Service.OnServer = (_, call) => Refused(call.GetSender<string>());
        const string Error = "message to send of 1001 bytes; the limit is 1000 (MaxSendMessageBytes)";
        Assert.Equal(["first", Error, Error, Error], await host.ServerStream("").ToListAsync().SoonAsync());

        async IAsyncEnumerable<string> Refused(ResponseSender<string> sender)
        {
            var error = await Assert.ThrowsAsync<RpcException>(async () => await sender.SendAsync(new[] { new SharedMessage<string>("first"), large, new("never") }));
            Assert.Equal(StatusCode.ResourceExhausted, error.StatusCode);
            yield return error.Status.Detail;
            yield return (await Assert.ThrowsAsync<RpcException>(async () => await sender.SendAsync(large))).Status.Detail;
            yield return Assert.Throws<RpcException>(() => sender.TrySend(large)).Status.Detail;
        }
    }

    [Fact]
    public async Task TrySend_of_a_shared_message_says_when_there_is_no_room_and_loses_nothing()
    {
        await using var host = new TestHost();
        var sent = new TaskCompletionSource<int>();
        host.Service.OnServer = (_, call) =>
        {
            var sender = call.GetSender<string>();
            var shared = new SharedMessage<string>(new string('x', 10_000));
            var count = 0;
            while (sender.TrySend(shared))
            {
                count++;
            }

            sent.SetResult(count);
            return AsyncEnumerable.Empty<string>();
        };
        await using var call = host.ServerStream("");
        await using var responses = call.GetAsyncEnumerator();
        var expected = await sent.Task.SoonAsync();
        Assert.InRange(expected, 10, 400);
        var received = 0;
        while (await responses.MoveNextAsync().SoonAsync())
        {
            received += responses.Current.Length / 10_000;
        }

        Assert.Equal(expected, received);
    }

    [Fact]
    public async Task Interceptors_see_each_shared_message()
    {
        await using var host = new TestHost(server => server.Interceptors.Add(ServerHook.Marking("!")));
        host.Service.OnServer = (_, call) =>
        {
            var sender = call.GetSender<string>();
            call.Run(async token =>
            {
                await sender.SendAsync(Messages(2, 3), token);
                await sender.SendAsync(new SharedMessage<string>("one"), token);
                while (!sender.TrySend(new SharedMessage<string>("two")))
                {
                    await Task.Yield();
                }
            });
            return new Runs(Messages(3, 2), 2);
        };
        var texts = await host.ServerStream("").ToListAsync().SoonAsync();
        Assert.Equal(["00!", "000!", "001!", "01!", "02!", "one!", "two!"], texts.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_call_that_has_ended_takes_no_shared_message()
    {
        await using var host = new TestHost();
        ResponseSender<string>? kept = null;
        host.Service.OnServer = (_, call) =>
        {
            kept = call.GetSender<string>();
            return AsyncEnumerable.Empty<string>();
        };
        Assert.Empty(await host.ServerStream("").ToListAsync().SoonAsync());
        var shared = new SharedMessage<string>("late");
        await Assert.ThrowsAnyAsync<Exception>(async () => await kept!.SendAsync(shared));
        await Assert.ThrowsAnyAsync<Exception>(async () => await kept!.SendAsync(new[] { shared }));
        Assert.False(kept!.TrySend(shared));
        Assert.Throws<ArgumentNullException>(() => kept.TrySend((SharedMessage<string>)null!));
        await Assert.ThrowsAsync<ArgumentNullException>(async () => await kept.SendAsync((SharedMessage<string>)null!));
        Assert.Throws<ArgumentNullException>(() => new SharedMessage<string>(null!));
    }

    private static SharedMessage<string>[] Messages(int count, int length) =>
        [.. Enumerable.Range(0, count).Select(i => new SharedMessage<string>(i.ToString(CultureInfo.InvariantCulture).PadLeft(length, '0')))];

    private static async IAsyncEnumerable<SharedMessage<string>> Some(Task beforeLast)
    {
        foreach (var message in Messages(100, 4))
        {
            yield return message;
        }

        await beforeLast;
        yield return new SharedMessage<string>("last");
    }

    private sealed class CountingMarshaller : Marshaller<string>
    {
        public int Written { get; private set; }

        public override int GetSize(string message) => TextMarshaller.Instance.GetSize(message);

        public override void Write(string message, Span<byte> destination)
        {
            Written++;
            TextMarshaller.Instance.Write(message, destination);
        }

        public override string Read(ReadOnlySpan<byte> payload) => throw new NotSupportedException();

        public override string Read(in System.Buffers.ReadOnlySequence<byte> payload) => throw new NotSupportedException();
    }

    private sealed class Runs(SharedMessage<string>[] messages, int atOnce) : ISharedMessages<string>
    {
        public IAsyncEnumerator<string> GetAsyncEnumerator(CancellationToken cancellationToken = default) =>
            messages.Select(message => message.Message).ToAsyncEnumerable().GetAsyncEnumerator(cancellationToken);

        public async IAsyncEnumerable<ReadOnlyMemory<SharedMessage<string>>> InRuns([EnumeratorCancellation] CancellationToken cancellationToken)
        {
            for (var at = 0; at < messages.Length; at += atOnce)
            {
                await Task.Yield();
                yield return messages.AsMemory(at, Math.Min(atOnce, messages.Length - at));
            }
        }
    }
}
