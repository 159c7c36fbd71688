using Weir.Rpc.Tests.Support;

namespace Weir.Rpc.Tests;

/// <summary>A message that is to be sent as it is goes so whatever stands around the call: the guard of a secret must not depend on it.</summary>
public sealed class UncompressedMessageTests
{
    private static readonly string Text = new('x', 5000);

    public static TheoryData<string> Arounds => ["nothing", "interceptor", "changing interceptors", "retries", "hedging", "waits", "everything"];

    [Theory]
    [MemberData(nameof(Arounds))]
    public async Task A_request_sent_uncompressed_is_so_behind(string around)
    {
        await using var host = CreateHost(around);
        var options = OptionsFor(around) with { Compression = MessageCompression.Gzip };
        host.Service.OnUnary = (_, call) => ValueTask.FromResult($"{call.CompressedRequests}");
        host.Service.OnServer = (_, call) => new[] { $"{call.CompressedRequests}" }.ToAsyncEnumerable();
        host.Service.OnClient = async (requests, call) => $"{await CountAsync(requests)} {call.CompressedRequests}";
        host.Service.OnDuplex = (requests, call) => EachCount(requests, call);
        foreach (var (uncompressed, expected) in new[] { (false, '1'), (true, '0') })
        {
            var single = options with { RequestUncompressed = uncompressed };
            Assert.Equal(expected, (await host.Unary(Text, single).SoonAsync())[0]);
            Assert.Equal(expected, (await host.ServerStream(Text, single).ToListAsync().SoonAsync())[0][0]);
        }

        await using var client = host.ClientStream(options);
        await client.SendAsync(New()).SoonAsync();
        await client.SendAsync(New(), uncompressed: true).SoonAsync();
        await client.SendAsync(New(), uncompressed: true).SoonAsync();
        await client.SendAsync(New()).SoonAsync();
        Assert.Equal("4 2", (await client.CompleteAsync().SoonAsync())[..3]);

        await using var duplex = host.Duplex(options);
        foreach (var uncompressed in new[] { true, false, true })
        {
            await duplex.SendAsync(New(), uncompressed).SoonAsync();
        }

        await SendNowAsync(duplex, uncompressed: true);
        await SendNowAsync(duplex, uncompressed: false);
        await duplex.CompleteAsync().SoonAsync();
        Assert.Equal("0,1,1,1,2", string.Join(',', (await duplex.Responses.ToListAsync().SoonAsync()).Select(text => text[..1])));
    }

    [Theory]
    [MemberData(nameof(Arounds))]
    public async Task A_response_sent_uncompressed_is_so_behind(string around)
    {
        await using var host = CreateHost(around);
        host.Service.OnUnary = (request, call) =>
        {
            call.ResponsesUncompressed = request[0] == 'n';
            return ValueTask.FromResult(New());
        };
        host.Service.OnServer = (_, call) => Respond(call);
        foreach (var (request, expected) in new[] { ("yes", 1), ("no", 0) })
        {
            var unary = host.Unary(request, OptionsFor(around));
            await unary.SoonAsync();
            Assert.Equal(expected, unary.CompressedResponses);
        }

        await using var stream = host.ServerStream("", OptionsFor(around));
        Assert.Equal(9, (await stream.ToListAsync().SoonAsync()).Count);
        Assert.Equal(4, stream.CompressedResponses);

        static async IAsyncEnumerable<string> Respond(ServerCall call)
        {
            yield return New();
            call.ResponsesUncompressed = true;
            yield return New();
            var sender = call.GetSender<string>();
            await sender.SendAsync(New()); // is told with each message
            yield return New();
            call.ResponsesUncompressed = false;
            await sender.SendAsync(New(), uncompressed: true);
            await sender.SendAsync(New());
            await SendNowAsync(sender, uncompressed: true);
            await SendNowAsync(sender, uncompressed: true);
            yield return New();
        }

        static async Task SendNowAsync(ResponseSender<string> sender, bool uncompressed)
        {
            while (!sender.TrySend(New(), uncompressed))
            {
                await Task.Yield();
            }
        }
    }

    [Fact]
    public async Task Every_attempt_sends_it_as_it_is()
    {
        await using var host = CreateHost("retries");
        var attempts = 0;
        host.Service.OnClient = async (requests, call) =>
        {
            await CountAsync(requests);
            return ++attempts < 3 ? throw new RpcException(StatusCode.Unavailable, "not now") : $"{call.CompressedRequests}{Text}";
        };
        await using var client = host.ClientStream(new CallOptions { Compression = MessageCompression.Gzip });
        await client.SendAsync(New(), uncompressed: true).SoonAsync();
        await client.SendAsync(New()).SoonAsync();
        Assert.Equal("1" + Text, await client.CompleteAsync().SoonAsync());
        Assert.Equal((3, 1), (attempts, client.CompressedResponses)); // the response came compressed
    }

    [Fact]
    public async Task What_interceptors_add_goes_as_the_message_before_it()
    {
        await using var host = new TestHost(channel: options => options.Interceptors.Add(
            new ClientHook((_, requests, next) => next(requests.SelectMany(text => new[] { text, New() }.ToAsyncEnumerable()).Prepend(New())))));
        host.Service.OnClient = async (requests, call) => $"{await CountAsync(requests)} {call.CompressedRequests}";
        await using var client = host.ClientStream(new CallOptions { Compression = MessageCompression.Gzip });
        await client.SendAsync(New(), uncompressed: true).SoonAsync();
        await client.SendAsync(New()).SoonAsync();
        Assert.Equal("5 3", await client.CompleteAsync().SoonAsync());
    }

    [Fact]
    public async Task What_interceptors_hold_back_is_never_compressed_when_it_was_not_to_be()
    {
        await using var host = new TestHost(
            server =>
            {
                server.Compression = MessageCompression.Gzip;
                server.Interceptors.Add(new ServerHook((_, requests, next) => OneBehind(next(requests))));
            },
            channel => channel.Interceptors.Add(new ClientHook((_, requests, next) => next(OneBehind(requests)))));
        host.Service.OnDuplex = (requests, call) => EachCount(requests, call);
        bool[] uncompressed = [true, false, false, true, false]; // the third goes as the fourth, which was taken last: in doubt uncompressed
        await using var duplex = host.Duplex(new CallOptions { Compression = MessageCompression.Gzip });
        foreach (var isUncompressed in uncompressed)
        {
            await duplex.SendAsync(New(), isUncompressed).SoonAsync();
        }

        await duplex.CompleteAsync().SoonAsync();
        Assert.Equal(["0", "1", "1", "1", "2"], await duplex.Responses.ToListAsync().SoonAsync());

        // One object, sent several times.
        await using var again = host.Duplex(new CallOptions { Compression = MessageCompression.Gzip });
        foreach (var isUncompressed in new[] { true, true, false })
        {
            await again.SendAsync(Text, isUncompressed).SoonAsync();
        }

        await again.CompleteAsync().SoonAsync();
        Assert.Equal(["0", "0", "1"], await again.Responses.ToListAsync().SoonAsync());

        host.Service.OnServer = (_, call) => Respond(call);
        await using var stream = host.ServerStream("");
        List<int> counts = [];
        await foreach (var _ in stream)
        {
            counts.Add(stream.CompressedResponses);
        }

        Assert.Equal([0, 1, 1, 1, 2], counts);

        async IAsyncEnumerable<string> Respond(ServerCall call)
        {
            foreach (var isUncompressed in uncompressed)
            {
                call.ResponsesUncompressed = isUncompressed;
                yield return New();
            }

            await Task.CompletedTask;
        }
    }

    [Fact]
    public async Task What_one_interceptor_holds_back_and_another_replaces_is_never_compressed_when_it_was_not_to_be()
    {
        // Whichever of the two comes first.
        foreach (var replacesFirst in new[] { true, false })
        {
            await using var host = new TestHost(
                server =>
                {
                    server.Compression = MessageCompression.Gzip;
                    server.Interceptors.Add(new ServerHook((_, requests, next) => replacesFirst ? Replace(next(requests)) : OneBehind(next(requests))));
                    server.Interceptors.Add(new ServerHook((_, requests, next) => replacesFirst ? OneBehind(next(requests)) : Replace(next(requests))));
                },
                channel =>
                {
                    channel.Interceptors.Add(new ClientHook((_, requests, next) => next(replacesFirst ? Replace(requests) : OneBehind(requests))));
                    channel.Interceptors.Add(new ClientHook((_, requests, next) => next(replacesFirst ? OneBehind(requests) : Replace(requests))));
                });
            host.Service.OnDuplex = (requests, call) => EachCount(requests, call);
            bool[] uncompressed = [true, false, false, true, false, false];
            await using var duplex = host.Duplex(new CallOptions { Compression = MessageCompression.Gzip });
            foreach (var isUncompressed in uncompressed)
            {
                await duplex.SendAsync(New(), isUncompressed).SoonAsync();
            }

            await duplex.CompleteAsync().SoonAsync();
            Assert.Equal(["0", "1", "1", "1", "2", "3"], (await duplex.Responses.ToListAsync().SoonAsync()).Select(count => count[..1])); // the third goes as the fourth

            host.Service.OnServer = (_, call) => Respond(call, uncompressed);
            await using var stream = host.ServerStream("");
            List<int> counts = [];
            await foreach (var _ in stream)
            {
                counts.Add(stream.CompressedResponses);
            }

            Assert.Equal([0, 1, 1, 1, 2, 3], counts);
        }

        static async IAsyncEnumerable<string> Respond(ServerCall call, bool[] uncompressed)
        {
            var sender = call.GetSender<string>();
            foreach (var isUncompressed in uncompressed)
            {
                await sender.SendAsync(New(), isUncompressed);
            }

            yield break;
        }
    }

    [Fact]
    public async Task What_interceptors_send_once_more_is_not_compressed_when_it_was_not_to_be()
    {
        await using var host = new TestHost(channel: options => options.Interceptors.Add(new ClientHook(SendTwice)));
        host.Service.OnClient = async (requests, call) => $"{await CountAsync(requests)} {call.CompressedRequests}";
        await using var client = host.ClientStream(new CallOptions { Compression = MessageCompression.Gzip });
        foreach (var isUncompressed in new[] { true, false })
        {
            await client.SendAsync(New(), isUncompressed).SoonAsync();
        }

        Assert.Equal("2 1", await client.CompleteAsync().SoonAsync());

        static async IAsyncEnumerable<string> SendTwice(OutgoingCall call, IAsyncEnumerable<string> requests, Func<IAsyncEnumerable<string>, IAsyncEnumerable<string>> next)
        {
            var kept = await requests.ToListAsync();
            Assert.Equal(["2 1"], await next(kept.ToAsyncEnumerable()).ToListAsync());
            await foreach (var response in next(kept.ToAsyncEnumerable()))
            {
                yield return response;
            }
        }
    }

    private static string New() => new('x', 5000);

    private static IAsyncEnumerable<string> Replace(IAsyncEnumerable<string> messages) => messages.Select(text => text + '!');

    private static async Task SendNowAsync(DuplexStreamingCall<string, string> call, bool uncompressed)
    {
        while (!call.TrySend(New(), uncompressed))
        {
            await Task.Yield();
        }
    }

    private static async Task<int> CountAsync(IAsyncEnumerable<string> messages) => (await messages.ToListAsync()).Count;

    private static async IAsyncEnumerable<string> EachCount(IAsyncEnumerable<string> requests, ServerCall call)
    {
        await foreach (var _ in requests)
        {
            yield return $"{call.CompressedRequests}";
        }
    }

    /// <summary>Gives each message when the next one is here.</summary>
    private static async IAsyncEnumerable<string> OneBehind(IAsyncEnumerable<string> messages)
    {
        string? last = null;
        await foreach (var message in messages)
        {
            if (last is not null)
            {
                yield return last;
            }

            last = message;
        }

        if (last is not null)
        {
            yield return last;
        }
    }

    private static CallOptions OptionsFor(string around) => around is "waits" or "everything"
        ? new CallOptions { MessageTimeout = TimeSpan.FromMinutes(1), SendTimeout = TimeSpan.FromMinutes(1) }
        : default;

    private static TestHost CreateHost(string around) => new(
        server =>
        {
            server.Compression = MessageCompression.Gzip;
            foreach (var hook in around switch
            {
                "interceptor" => [new ServerHook((_, requests, next) => next(requests))],
                "changing interceptors" or "everything" => [ServerHook.Marking("a"), ServerHook.Marking("b")],
                _ => Array.Empty<ServerHook>(),
            })
            {
                server.Interceptors.Add(hook);
            }

            if (around is "waits" or "everything")
            {
                server.MessageTimeout = server.SendTimeout = TimeSpan.FromMinutes(1);
            }
        },
        channel =>
        {
            foreach (var hook in around switch
            {
                "interceptor" => [new ClientHook((_, requests, next) => next(requests))],
                "changing interceptors" or "everything" => [ClientHook.Marking("a"), ClientHook.Marking("b")],
                _ => Array.Empty<ClientHook>(),
            })
            {
                channel.Interceptors.Add(hook);
            }

            if (around is "retries" or "hedging" or "everything")
            {
                channel.ServiceConfig = new ServiceConfig
                {
                    MethodConfigs = [new MethodConfig
                    {
                        Names = [new MethodName("test.Service")],
                        RetryPolicy = around == "hedging" ? null : new RetryPolicy { MaxAttempts = 3, InitialBackoff = TimeSpan.FromMilliseconds(1), MaxBackoff = TimeSpan.FromMilliseconds(1) },
                        HedgingPolicy = around == "hedging" ? new HedgingPolicy { MaxAttempts = 2, HedgingDelay = TimeSpan.FromHours(1) } : null,
                    }],
                };
            }
        });
}
