using System.Buffers;
using System.IO.Compression;
using Weir.Rpc.Tests.Support;

namespace Weir.Rpc.Tests;

/// <summary>Compression between a channel and a server, for all kinds of calls.</summary>
public sealed class CompressionTests
{
    private static readonly string Text = new('x', 5000);

    public static TheoryData<string> Names => ["gzip", "deflate", "br"];

    [Theory]
    [MemberData(nameof(Names))]
    public async Task Every_kind_of_call_is_compressed_both_ways(string name)
    {
        var compression = Named(name);
        await using var host = new TestHost();
        var options = new CallOptions { Compression = compression };
        host.Service.OnUnary = (request, call) =>
        {
            call.ResponseCompression = compression;
            return ValueTask.FromResult($"{call.CompressedRequests}{request}");
        };
        host.Service.OnServer = (request, call) => Respond(call, request);
        host.Service.OnClient = async (requests, call) =>
        {
            call.ResponseCompression = compression;
            var all = await requests.ToListAsync();
            return $"{call.CompressedRequests}{string.Concat(all)}";
        };
        host.Service.OnDuplex = (requests, call) =>
        {
            call.ResponseCompression = compression;
            return requests;
        };

        var unary = host.Unary(Text, options);
        Assert.Equal("1" + Text, await unary.SoonAsync());
        Assert.Equal(1, unary.CompressedResponses);

        await using var server = host.ServerStream(Text, options);
        Assert.Equal([Text, "1" + Text], await server.ToListAsync().SoonAsync());
        Assert.Equal(2, server.CompressedResponses);

        await using var client = host.ClientStream(options);
        await client.SendAsync(Text).SoonAsync();
        await client.SendAsync(Text).SoonAsync();
        Assert.Equal("2" + Text + Text, await client.CompleteAsync().SoonAsync());
        Assert.Equal(1, client.CompressedResponses);

        await using var duplex = host.Duplex(options);
        await duplex.SendAsync(Text).SoonAsync();
        await duplex.SendAsync("").SoonAsync(); // nothing to compress
        await duplex.CompleteAsync().SoonAsync();
        Assert.Equal([Text, ""], await duplex.Responses.ToListAsync().SoonAsync());
        Assert.Equal(1, duplex.CompressedResponses);

        async IAsyncEnumerable<string> Respond(ServerCall call, string request)
        {
            call.ResponseCompression = compression;
            yield return request;
            yield return $"{call.CompressedRequests}{request}";
            await Task.CompletedTask;
        }
    }

    [Fact]
    public async Task A_message_of_a_compressed_call_can_be_sent_as_it_is_by_a_client()
    {
        await using var host = new TestHost();
        var options = new CallOptions { Compression = MessageCompression.Gzip };
        host.Service.OnUnary = (_, call) => ValueTask.FromResult($"{call.CompressedRequests}");
        host.Service.OnServer = (_, call) => Many($"{call.CompressedRequests}");
        host.Service.OnDuplex = (requests, call) => Count(requests, call);
        Assert.Equal("1", await host.Unary(Text, options).SoonAsync());
        Assert.Equal("0", await host.Unary(Text, options with { RequestUncompressed = true }).SoonAsync());
        Assert.Equal(["0"], await host.ServerStream(Text, options with { RequestUncompressed = true }).ToListAsync().SoonAsync());

        await using var call = host.Duplex(options);
        await using var responses = call.Responses.GetAsyncEnumerator();
        await CheckNextAsync("1", call.SendAsync(Text));
        await CheckNextAsync("1", call.SendAsync(Text, uncompressed: true));
        await CheckNextAsync("2", call.SendAsync(Text, uncompressed: false));
        Assert.True(call.TrySend(Text, uncompressed: true));
        await CheckNextAsync("2", default);
        Assert.True(call.TrySend(Text));
        await CheckNextAsync("3", default);

        host.Service.OnClient = async (requests, serverCall) => $"{(await requests.ToListAsync()).Count} {serverCall.CompressedRequests}";
        await using var client = host.ClientStream(options);
        await client.SendAsync(Text, uncompressed: true).SoonAsync();
        Assert.True(client.TrySend(Text, uncompressed: true));
        Assert.True(client.TrySend(Text));
        Assert.Equal("3 1", await client.CompleteAsync().SoonAsync());

        async Task CheckNextAsync(string expected, ValueTask send)
        {
            await send.SoonAsync();
            Assert.True(await responses.MoveNextAsync().SoonAsync());
            Assert.Equal(expected, responses.Current);
        }

        static async IAsyncEnumerable<string> Count(IAsyncEnumerable<string> requests, ServerCall serverCall)
        {
            await foreach (var request in requests)
            {
                Assert.Equal(Text, request);
                yield return $"{serverCall.CompressedRequests}";
            }
        }
    }

    [Fact]
    public async Task A_message_of_a_compressed_call_can_be_sent_as_it_is_by_a_handler()
    {
        await using var host = new TestHost(server => server.Compression = MessageCompression.Gzip);
        host.Service.OnUnary = (request, call) =>
        {
            call.ResponsesUncompressed = request == "no";
            return ValueTask.FromResult(Text);
        };
        host.Service.OnServer = (_, call) => Respond(call);
        Assert.Equal(1, await CountAsync(host.Unary("yes")));
        Assert.Equal(0, await CountAsync(host.Unary("no")));

        await using var call = host.ServerStream("");
        await using var responses = call.GetAsyncEnumerator();
        foreach (var expected in new[] { 1, 1, 2, 3, 3, 4, 4 })
        {
            Assert.True(await responses.MoveNextAsync().SoonAsync());
            Assert.Equal((Text, expected), (responses.Current, call.CompressedResponses));
        }

        static async IAsyncEnumerable<string> Respond(ServerCall call)
        {
            yield return Text;
            call.ResponsesUncompressed = true;
            yield return Text;
            call.ResponsesUncompressed = false;
            yield return Text;
            var sender = call.GetSender<string>();
            await sender.SendAsync(Text);
            await sender.SendAsync(Text, uncompressed: true);
            Assert.True(sender.TrySend(Text));
            Assert.True(sender.TrySend(Text, uncompressed: true));
        }
    }

    [Fact]
    public async Task Defaults_of_channel_and_server_hold_unless_a_call_says_otherwise()
    {
        await using var host = new TestHost(server => server.Compression = MessageCompression.Gzip, channel => channel.Compression = MessageCompression.Deflate);
        host.Service.OnUnary = (request, call) =>
        {
            Assert.Equal(MessageCompression.Gzip, call.ResponseCompression);
            call.ResponseCompression = request[0] == 'i' ? MessageCompression.Identity : request[0] == 'n' ? null : call.ResponseCompression;
            return ValueTask.FromResult($"{call.CompressedRequests}{request}");
        };
        var both = host.Unary(Text);
        Assert.Equal("1" + Text, await both.SoonAsync());
        Assert.Equal(1, both.CompressedResponses);
        var neither = host.Unary("i" + Text, new CallOptions { Compression = MessageCompression.Identity });
        Assert.Equal("0i" + Text, await neither.SoonAsync());
        Assert.Equal(0, neither.CompressedResponses);
        Assert.Equal(0, await CountAsync(host.Unary("n" + Text)));
    }

    [Fact]
    public async Task Nothing_is_compressed_by_default()
    {
        await using var host = new TestHost();
        host.Service.OnUnary = (request, call) => ValueTask.FromResult($"{call.CompressedRequests} {call.ResponseCompression?.Name}{request}");
        var call = host.Unary(Text);
        Assert.Equal("0 " + Text, await call.SoonAsync());
        Assert.Equal(0, call.CompressedResponses);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public async Task Large_messages_and_long_streams_arrive_as_they_were_sent(string name)
    {
        // Hexadecimal digits get about half as large: compressed, the large ones are still beyond what waits in place.
        var compression = Named(name);
        await using var host = new TestHost(channel: channel => channel.Compression = compression);
        host.Service.OnDuplex = (requests, call) =>
        {
            call.ResponseCompression = compression;
            return requests;
        };
        string[] messages = [.. Enumerable.Range(0, 60).Select(i => RandomText(i, i % 20 == 7 ? 1_500_000 : i * 1500))];
        await using var call = host.Duplex();
        var sends = Task.Run(async () =>
        {
            foreach (var message in messages)
            {
                await call.SendAsync(message);
            }

            await call.CompleteAsync();
        });
        Assert.Equal(messages, await call.Responses.ToListAsync().SoonAsync());
        await sends.SoonAsync();
        Assert.Equal(59, call.CompressedResponses); // all but the empty one
    }

    [Fact]
    public async Task Sends_before_the_connection_are_compressed_too()
    {
        var connected = new TaskCompletionSource();
        TestHost? host = null;
        await using var started = host = new TestHost(channel: channel =>
        {
            channel.Compression = MessageCompression.Gzip;
            channel.ConnectTransport = async stop =>
            {
                await connected.Task;
                return await host!.ConnectAsync(stop);
            };
        });
        host.Service.OnClient = async (requests, call) => $"{string.Concat(await requests.ToListAsync())}{call.CompressedRequests}";
        await using var call = host.ClientStream();
        var send = call.SendAsync(Text);
        connected.SetResult();
        await send.SoonAsync();
        Assert.Equal(Text + "1", await call.CompleteAsync().SoonAsync());
    }

    [Fact]
    public async Task The_limits_are_of_messages_before_compression()
    {
        await using var host = new TestHost(
            server => server.MaxReceiveMessageBytes = 1000,
            channel =>
            {
                channel.Compression = MessageCompression.Gzip;
                channel.MaxSendMessageBytes = 2000;
            });
        host.Service.OnUnary = (request, _) => ValueTask.FromResult($"{request.Length}");
        Assert.Equal("1000", await host.Unary(new string('x', 1000)).SoonAsync());
        var error = await host.Unary(new string('x', 1001)).AsTask().FailsAsync(StatusCode.ResourceExhausted);
        Assert.Equal("received a message that has more than 1000 bytes when decompressed; the limit is 1000 (MaxReceiveMessageBytes)", error.Status.Detail);
        error = await host.Unary(new string('x', 2001)).AsTask().FailsAsync(StatusCode.ResourceExhausted);
        Assert.Equal("message to send of 2001 bytes; the limit is 2000 (MaxSendMessageBytes)", error.Status.Detail);
        Assert.Equal("3", await host.Unary("xxx").SoonAsync());
    }

    [Fact]
    public async Task A_response_above_the_limit_ends_its_call_and_no_other()
    {
        await using var host = new TestHost(server => server.Compression = MessageCompression.Gzip, channel => channel.MaxReceiveMessageBytes = 1000);
        host.Service.OnServer = (request, _) => Many("first", new string('x', request.Length));
        await using var responses = host.ServerStream(new string('r', 1001)).GetAsyncEnumerator();
        Assert.True(await responses.MoveNextAsync().SoonAsync());
        await responses.MoveNextAsync().AsTask().FailsAsync(StatusCode.ResourceExhausted);
        Assert.Equal(2, (await host.ServerStream(new string('r', 1000)).ToListAsync().SoonAsync()).Count);
    }

    [Fact]
    public async Task A_compression_of_ones_own_serves_like_the_others()
    {
        var own = new Reversal();
        await using var host = new TestHost(
            server => server.AcceptedCompressions = [own],
            channel =>
            {
                channel.AcceptedCompressions = [own, MessageCompression.Gzip];
                channel.Compression = own;
            });
        host.Service.OnUnary = (request, call) =>
        {
            call.ResponseCompression = own;
            return ValueTask.FromResult(request + "2");
        };
        Assert.Equal("abc12", await host.Unary("abc1").SoonAsync());
        var refused = await host.Unary("x", new CallOptions { Compression = MessageCompression.Gzip }).AsTask().FailsAsync(StatusCode.Unimplemented);
        Assert.Equal("the request is compressed with \"gzip\"; \"identity,x-reversal\" are accepted", refused.Status.Detail);

        own.Failure = new NotSupportedException("today");
        var error = await host.Unary("abc1").AsTask().FailsAsync(StatusCode.Internal);
        Assert.Equal("a received message cannot be decompressed with x-reversal: today", error.Status.Detail);
    }

    [Fact]
    public async Task A_failing_compressor_fails_the_send_and_nothing_else()
    {
        var own = new Reversal { CompressFailure = new NotSupportedException("today") };
        await using var host = new TestHost(server => server.AcceptedCompressions = [own]);
        host.Service.OnClient = async (requests, _) => string.Concat(await requests.ToListAsync());
        await using var call = host.ClientStream(new CallOptions { Compression = own });
        await Assert.ThrowsAsync<NotSupportedException>(async () => await call.SendAsync("one"));
        await call.SendAsync("two", uncompressed: true).SoonAsync();
        Assert.Equal("two", await call.CompleteAsync().SoonAsync());
        host.Service.OnUnary = (request, _) => ValueTask.FromResult(request);
        var error = await host.Unary("one", new CallOptions { Compression = own }).AsTask().FailsAsync(StatusCode.Internal);
        Assert.Equal("the request cannot be serialised: today", error.Status.Detail);
    }

    [Fact]
    public void Options_check_names()
    {
        Assert.Throws<ArgumentException>(() => new RpcServerOptions { AcceptedCompressions = [MessageCompression.Gzip, MessageCompression.CreateGzip(CompressionLevel.Optimal)] });
        Assert.Throws<ArgumentException>(() => new RpcChannelOptions { AcceptedCompressions = [MessageCompression.Identity] });
        Assert.Throws<ArgumentNullException>(() => new RpcChannelOptions { AcceptedCompressions = null! });
        Assert.Throws<ArgumentNullException>(() => new RpcChannelOptions { AcceptedCompressions = [null!] });
        Assert.Throws<ArgumentException>(() => new Reversal("a,b"));
        Assert.Throws<ArgumentException>(() => new Reversal(""));
        Assert.Throws<ArgumentException>(() => new Reversal("Gzip"));
        Assert.Throws<ArgumentOutOfRangeException>(() => MessageCompression.CreateBrotli((CompressionLevel)77));
        Assert.Equal(["identity", "gzip", "deflate", "br"], new[] { MessageCompression.Identity, MessageCompression.Gzip, MessageCompression.Deflate, MessageCompression.Brotli }.Select(one => one.Name));
    }

    [Fact]
    public async Task How_responses_are_compressed_is_said_before_their_headers()
    {
        await using var host = new TestHost();
        host.Service.OnUnary = async (request, call) =>
        {
            await call.SendHeadersAsync([]);
            Assert.Throws<InvalidOperationException>(() => call.ResponseCompression = MessageCompression.Gzip);
            return request;
        };
        Assert.Equal("ok", await host.Unary("ok").SoonAsync());
    }

    private static MessageCompression Named(string name) => name switch
    {
        "gzip" => MessageCompression.Gzip,
        "deflate" => MessageCompression.Deflate,
        _ => MessageCompression.Brotli,
    };

    private static string RandomText(int seed, int length)
    {
        var octets = new byte[(length + 1) / 2];
        new Random(seed).NextBytes(octets);
        return Convert.ToHexString(octets)[..length];
    }

    private static async Task<int> CountAsync(UnaryCall<string> call)
    {
        await call.SoonAsync();
        return call.CompressedResponses;
    }

    private static async IAsyncEnumerable<string> Many(params string[] messages)
    {
        foreach (var message in messages)
        {
            yield return message;
        }

        await Task.CompletedTask;
    }

    /// <summary>Reverses a message and keeps its last octet aside, so that it gets smaller.</summary>
    private sealed class Reversal(string name = "x-reversal") : MessageCompression(name)
    {
        public Exception? Failure { get; set; }

        public Exception? CompressFailure { get; set; }

        public override void Compress(ReadOnlySpan<byte> message, IBufferWriter<byte> destination)
        {
            if (CompressFailure is not null)
            {
                throw CompressFailure;
            }

            var reversed = message.ToArray();
            Array.Reverse(reversed);
            destination.Write(reversed.AsSpan(1));
            LastOctets.Enqueue(message[^1]);
        }

        public override void Decompress(in ReadOnlySequence<byte> data, IBufferWriter<byte> destination)
        {
            if (Failure is not null)
            {
                throw Failure;
            }

            var reversed = data.ToArray();
            Array.Reverse(reversed);
            destination.Write(reversed);
            Assert.True(LastOctets.TryDequeue(out var last));
            destination.Write([last]);
        }

        private System.Collections.Concurrent.ConcurrentQueue<byte> LastOctets { get; } = [];
    }
}
