using Weir.Rpc.Tests.Support;

namespace Weir.Rpc.Tests;

/// <summary>Law 3: sends from several tasks at once, TrySend, limits of sizes.</summary>
public sealed class SendTests
{
    private const int Senders = 8;
    private const int MessagesPerSender = 10_000;

    [Fact]
    public async Task Requests_of_many_senders_arrive_whole_and_in_each_senders_order()
    {
        await using var host = new TestHost();
        host.Service.OnClient = async (requests, _) => CheckOrder(await requests.ToListAsync());
        await using var call = host.ClientStream();
        await SendFromMany(call.SendAsync).SoonAsync();
        Assert.Equal("all in order", await call.CompleteAsync().SoonAsync());
    }

    [Fact]
    public async Task Responses_of_many_senders_arrive_whole_and_in_each_senders_order()
    {
        await using var host = new TestHost();
        host.Service.OnServer = (_, call) =>
        {
            var sender = call.GetSender<string>();
            for (var i = 0; i < Senders; i++)
            {
                var id = i;
                call.Run(token => SendFromOne(id, sender.SendAsync, token));
            }

            return AsyncEnumerable.Empty<string>();
        };
        Assert.Equal("all in order", CheckOrder(await host.ServerStream("").ToListAsync().SoonAsync()));
    }

    [Fact]
    public async Task TrySend_says_when_there_is_no_room_and_loses_nothing()
    {
        await using var host = new TestHost();
        var go = new TaskCompletionSource();
        host.Service.OnClient = async (requests, _) =>
        {
            await go.Task;
            return string.Concat(await requests.ToListAsync()).Length.ToString(System.Globalization.CultureInfo.InvariantCulture);
        };
        host.Service.OnUnary = (request, _) => ValueTask.FromResult(request);
        await host.Unary("").SoonAsync(); // the connection's window has come, which is behind the settings
        await using var call = host.ClientStream();
        await call.SendAsync("x").SoonAsync(); // the call has a stream now
        var length = 1;
        var chunk = new string('x', 10_000);
        while (call.TrySend(chunk))
        {
            length += chunk.Length;
        }

        Assert.InRange(length, 100_000, 4_000_000); // windows and high-water marks, not memory
        go.SetResult();
        await call.SendAsync(chunk).SoonAsync();
        Assert.Equal($"{length + chunk.Length}", await call.CompleteAsync().SoonAsync());
    }

    [Fact]
    public async Task A_handler_that_does_not_read_holds_the_sender_back()
    {
        await using var host = new TestHost();
        var go = new TaskCompletionSource();
        host.Service.OnUnary = (request, _) => ValueTask.FromResult(request);
        host.Service.OnDuplex = (requests, call) => After(go.Task.WaitAsync(call.CancellationToken), requests);
        await using var call = host.Duplex();
        var sends = Enumerable.Range(0, 300).Select(_ => call.SendAsync(new string('x', 10_000)).AsTask()).ToArray();
        for (var i = 0; i < 10; i++)
        {
            await host.Unary("").SoonAsync(); // on the same connection: what can go out has gone out
        }

        Assert.InRange(sends.Count(send => send.IsCompleted), 10, 150); // a window of 1 MiB and what the connection gathers
        go.SetResult();
        await Task.WhenAll(sends).SoonAsync();
        await call.CompleteAsync().SoonAsync();
        Assert.Equal(300, (await call.Responses.ToListAsync().SoonAsync()).Count);

        static async IAsyncEnumerable<string> After(Task start, IAsyncEnumerable<string> requests)
        {
            await start;
            await foreach (var request in requests)
            {
                yield return request[..1];
            }
        }
    }

    [Fact]
    public async Task A_request_above_the_servers_limit_names_both_sizes()
    {
        await using var host = new TestHost(server => server.MaxReceiveMessageBytes = 1000);
        host.Service.OnUnary = (request, _) => ValueTask.FromResult(request);
        host.Service.OnClient = async (requests, _) => $"{(await requests.ToListAsync()).Count}";
        const string Detail = "received message of 1001 bytes; the limit is 1000 (MaxReceiveMessageBytes)";
        Assert.Equal(Detail, (await host.Unary(new string('x', 1001)).AsTask().FailsAsync(StatusCode.ResourceExhausted)).Status.Detail);
        await using var call = host.ClientStream();
        await call.SendAsync("x").SoonAsync();
        await call.SendAsync(new string('x', 1001)).SoonAsync();
        Assert.Equal(Detail, (await call.CompleteAsync().FailsAsync(StatusCode.ResourceExhausted)).Status.Detail);
        Assert.Equal(1000, (await host.Unary(new string('x', 1000)).SoonAsync()).Length);
    }

    [Fact]
    public async Task A_response_above_the_clients_limit_names_both_sizes_and_cancels_the_call()
    {
        await using var host = new TestHost(channel: channel => channel.MaxReceiveMessageBytes = 1000);
        var cancelled = new TaskCompletionSource();
        host.Service.OnServer = (_, call) => Big(call);
        var error = await host.ServerStream("").ToListAsync().FailsAsync(StatusCode.ResourceExhausted);
        Assert.Equal("received message of 1001 bytes; the limit is 1000 (MaxReceiveMessageBytes)", error.Status.Detail);
        await cancelled.Task.SoonAsync();

        async IAsyncEnumerable<string> Big(ServerCall call)
        {
            yield return new string('x', 1001);
            await call.CancellationToken.FiredAsync();
            cancelled.SetResult();
        }
    }

    [Fact]
    public async Task A_message_above_the_senders_own_limit_is_not_sent_and_the_call_goes_on()
    {
        await using var host = new TestHost(server => server.MaxSendMessageBytes = 10, channel => channel.MaxSendMessageBytes = 20);
        host.Service.OnDuplex = (requests, call) =>
        {
            var sender = call.GetSender<string>();
            call.Run(async token =>
            {
                await foreach (var request in requests)
                {
                    var error = await Assert.ThrowsAsync<RpcException>(() => sender.SendAsync(request, token).SoonAsync());
                    await sender.SendAsync($"{error.Status.Detail.Length}", token);
                }
            });
            return AsyncEnumerable.Empty<string>();
        };
        await using var call = host.Duplex();
        var error = await Assert.ThrowsAsync<RpcException>(() => call.SendAsync(new string('x', 21)).SoonAsync());
        Assert.Equal(new Status(StatusCode.ResourceExhausted, "message to send of 21 bytes; the limit is 20 (MaxSendMessageBytes)"), error.Status);
        Assert.Throws<RpcException>(() => call.TrySend(new string('x', 21)));
        await call.SendAsync(new string('x', 11)).SoonAsync();
        await call.CompleteAsync().SoonAsync();
        Assert.Equal(["66"], await call.Responses.ToListAsync().SoonAsync());
        host.Service.OnUnary = (request, _) => ValueTask.FromResult(request);
        await host.Unary(new string('x', 21)).AsTask().FailsAsync(StatusCode.ResourceExhausted);
        await host.Unary(new string('x', 11)).AsTask().FailsAsync(StatusCode.ResourceExhausted);
    }

    [Fact]
    public async Task A_sender_is_for_streams_and_of_the_methods_type()
    {
        await using var host = new TestHost();
        host.Service.OnUnary = (_, call) => ValueTask.FromResult(Assert.Throws<InvalidOperationException>(() => call.GetSender<string>()).Message);
        host.Service.OnServer = (_, call) => new[] { Assert.Throws<InvalidOperationException>(() => call.GetSender<object>()).Message }.ToAsyncEnumerable();
        Assert.Contains("single response", await host.Unary("").SoonAsync(), StringComparison.Ordinal);
        Assert.Contains("System.Object", (await host.ServerStream("").ToListAsync().SoonAsync())[0], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_message_that_cannot_be_serialised_fails_its_send_only()
    {
        await using var host = new TestHost();
        host.Service.OnDuplex = (requests, _) => CallEndTests.Echo(requests);
        await using var call = host.Duplex();
        await Assert.ThrowsAsync<ArgumentNullException>(() => call.SendAsync(null!).SoonAsync());
        await call.SendAsync("x").SoonAsync();
        await call.CompleteAsync().SoonAsync();
        Assert.Equal(["x"], await call.Responses.ToListAsync().SoonAsync());
    }

    private static Task SendFromMany(Func<string, CancellationToken, ValueTask> send) =>
        Task.WhenAll(Enumerable.Range(0, Senders).Select(id => Task.Run(() => SendFromOne(id, send, default))));

    private static async Task SendFromOne(int id, Func<string, CancellationToken, ValueTask> send, CancellationToken token)
    {
        for (var i = 0; i < MessagesPerSender; i++)
        {
            await send($"{id}:{i}:{new string((char)('a' + id), i % 200)}", token);
        }
    }

    private static string CheckOrder(List<string> messages)
    {
        var next = new int[Senders];
        foreach (var message in messages)
        {
            var parts = message.Split(':');
            var id = int.Parse(parts[0], null);
            Assert.Equal(next[id]++, int.Parse(parts[1], null));
            Assert.Equal(new string((char)('a' + id), (next[id] - 1) % 200), parts[2]);
        }

        Assert.All(next, count => Assert.Equal(MessagesPerSender, count));
        return "all in order";
    }
}
