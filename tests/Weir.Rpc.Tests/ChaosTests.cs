using Weir.Rpc.Tests.Support;

namespace Weir.Rpc.Tests;

/// <summary>Calls of every kind that end in every way, all at once and while connections break: each gives all of its messages or an error,
/// and nothing is left behind.</summary>
public sealed class ChaosTests
{
    [Theory]
    [InlineData(1, false)]
    [InlineData(2, false)]
    [InlineData(3, true)]
    [InlineData(4, true)]
    public async Task Every_call_ends_with_everything_or_with_an_error(int seed, bool cuts)
    {
        await using var host = new TestHost(
            server =>
            {
                server.Http2.MaxConcurrentStreams = 20;
                server.Http2.StreamWindowBytes = 8192;
            },
            channel =>
            {
                channel.MaxConnections = 3;
                channel.Http2.StreamWindowBytes = 8192;
            });
        host.Service.OnUnary = (request, _) => ValueTask.FromResult(request);
        host.Service.OnServer = (request, _) => CallEndTests.Numbers(int.Parse(request, null));
        host.Service.OnClient = async (requests, _) => $"{(await requests.ToListAsync()).Count}";
        host.Service.OnDuplex = (requests, _) => CallEndTests.Echo(requests);
        var calls = Enumerable.Range(0, 16).Select(worker => Task.Run(async () =>
        {
            var random = new Random((seed * 100) + worker);
            var ended = 0;
            for (var i = 0; i < 100; i++)
            {
                try
                {
                    await RunOneAsync(host, random);
                    ended++;
                }
                catch (RpcException error) when (error.StatusCode is StatusCode.Cancelled or StatusCode.DeadlineExceeded || (cuts && error.StatusCode == StatusCode.Unavailable))
                {
                }
                catch (OperationCanceledException)
                {
                }
            }

            return ended;
        })).ToArray();
        var all = Task.WhenAll(calls);
        while (cuts && !all.IsCompleted)
        {
            await Task.WhenAny(all, host.Unary("").AsTask());
            host.Cut();
        }

        Assert.InRange((await all.SoonAsync()).Sum(), cuts ? 1 : 400, 1600);
    }

    private static async Task RunOneAsync(TestHost host, Random random)
    {
        using var source = new CancellationTokenSource();
        var cancels = random.Next(4) == 0;
        var options = new CallOptions { Timeout = random.Next(6) == 0 ? TimeSpan.FromMilliseconds(random.Next(20)) : null };
        var count = random.Next(300);
        var text = new string('x', random.Next(3) == 0 ? random.Next(20_000) : 10);
        var leaveAt = random.Next(5) == 0 ? random.Next(300) : int.MaxValue;
        switch (random.Next(4))
        {
            case 0:
                var unary = host.Unary(text, options, source.Token);
                await CancelAsync();
                Assert.Equal(text, await unary);
                break;
            case 1:
                var received = 0;
                await foreach (var message in host.ServerStream($"{count}", options, source.Token))
                {
                    Assert.Equal($"{received++}", message);
                    if (received == leaveAt)
                    {
                        return;
                    }

                    if (received == count / 2)
                    {
                        await CancelAsync();
                    }
                }

                Assert.Equal(count, received);
                break;
            case 2:
                await using (var call = host.ClientStream(options, source.Token))
                {
                    for (var i = 0; i < count; i++)
                    {
                        await call.SendAsync(text);
                        if (i == leaveAt)
                        {
                            return;
                        }
                    }

                    await CancelAsync();
                    Assert.Equal($"{count}", await call.CompleteAsync());
                }

                break;
            default:
                await using (var call = host.Duplex(options, source.Token))
                {
                    var sending = SendAsync(call);
                    var echoed = 0;
                    try
                    {
                        await foreach (var message in call.Responses)
                        {
                            Assert.Equal(text, message);
                            if (++echoed == leaveAt)
                            {
                                return;
                            }
                        }
                    }
                    finally
                    {
                        await Task.WhenAny(sending);
                    }

                    await sending;
                    Assert.Equal(count, echoed);
                }

                break;
        }

        async Task SendAsync(DuplexStreamingCall<string, string> call)
        {
            for (var i = 0; i < count; i++)
            {
                await call.SendAsync(text);
            }

            await CancelAsync();
            await call.CompleteAsync();
        }

        async Task CancelAsync()
        {
            if (cancels)
            {
                await source.CancelAsync();
            }
        }
    }
}
