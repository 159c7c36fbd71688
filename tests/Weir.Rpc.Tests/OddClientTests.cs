using Weir.Http2;
using Weir.Http2.Tests.Wire;
using Weir.Rpc.Tests.Support;

namespace Weir.Rpc.Tests;

/// <summary>A server against clients with manners that are seldom, or wrong.</summary>
public sealed class OddClientTests
{
    private static readonly byte[] Message = [0, 0, 0, 0, 1, (byte)'x'];

    public static TheoryData<string> Ends => ["empty data", "padded empty data", "last message", "trailers", "several empty data"];

    [Theory]
    [MemberData(nameof(Ends))]
    public async Task Requests_end_in_any_way_that_http2_has(string end)
    {
        await using var host = new TestHost();
        host.Service.OnClient = async (requests, _) => $"{(await requests.ToListAsync()).Count}";
        host.Service.OnUnary = (request, _) => ValueTask.FromResult(request);
        var peer = await ConnectAsync(host);
        foreach (var (stream, method) in new[] { (1, "Client"), (3, "Unary") })
        {
            await peer.SendAsync(WireFrame.Headers(stream, false, Post(method)));
            await peer.SendAsync(end switch
            {
                "empty data" => [WireFrame.Data(stream, Message), WireFrame.Data(stream, [], endStream: true)],
                "padded empty data" => [WireFrame.Data(stream, Message), WireFrame.Data(stream, [], endStream: true, padding: 100)],
                "last message" => [WireFrame.Data(stream, Message, endStream: true)],
                "trailers" => [WireFrame.Data(stream, Message), WireFrame.Headers(stream, true, ("x-end", "yes"))],
                _ => [WireFrame.Data(stream, []), WireFrame.Data(stream, Message), WireFrame.Data(stream, []), WireFrame.Data(stream, []), WireFrame.Data(stream, [], endStream: true)],
            });
            await CheckResponseAsync(peer, stream, method == "Unary" ? "x" : "1");
        }

        await CloseAsync(peer);
    }

    [Fact]
    public async Task A_request_that_ends_with_its_headers_has_no_messages()
    {
        await using var host = new TestHost();
        host.Service.OnClient = async (requests, _) => $"{(await requests.ToListAsync()).Count}";
        var peer = await ConnectAsync(host);
        await peer.SendAsync(WireFrame.Headers(1, true, Post("Client")));
        await CheckResponseAsync(peer, 1, "0");
        await peer.SendAsync(WireFrame.Headers(3, true, Post("Unary")));
        var refused = await peer.SkipToHeadersAsync();
        Assert.Equal(("12", "the call ended without the request message", true), (refused["grpc-status"], refused["grpc-message"], refused.IsEndStream));
        await CloseAsync(peer);
    }

    [Fact]
    public async Task Unknown_frames_within_a_request_are_ignored()
    {
        await using var host = new TestHost();
        host.Service.OnUnary = (request, _) => ValueTask.FromResult(request);
        var peer = await ConnectAsync(host);
        await peer.SendAsync(
            WireFrame.Headers(1, false, Post("Unary")),
            new WireFrame((WireFrameType)0x42, 0xff, 1, [1, 2, 3]),
            WireFrame.Data(1, Message[..3]),
            new WireFrame((WireFrameType)0xfe, 0, 0, [4]),
            WireFrame.Data(1, Message[3..], endStream: true));
        await CheckResponseAsync(peer, 1, "x");
        await CloseAsync(peer);
    }

    [Fact]
    public async Task Padding_is_given_back_to_the_client_in_full()
    {
        const int FrameOctets = 6 + 256;
        await using var host = new TestHost(server => server.Http2.StreamWindowBytes = 65_536);
        host.Service.OnClient = async (requests, _) => $"{(await requests.ToListAsync()).Count}";
        var peer = await ConnectAsync(host);
        await peer.SendAsync(WireFrame.Headers(1, false, Post("Client")));
        var window = 65_535L;
        for (var i = 0; i < 1000; i++)
        {
            while (window < FrameOctets)
            {
                var update = await peer.SkipToAsync(WireFrameType.WindowUpdate);
                window += update.StreamId == 1 ? update.Increment : 0;
            }

            window -= FrameOctets;
            await peer.SendAsync(WireFrame.Data(1, Message, padding: 255));
        }

        await peer.SendAsync(WireFrame.Data(1, [], endStream: true));
        await CheckResponseAsync(peer, 1, "1000");
        await CloseAsync(peer);
    }

    [Fact]
    public async Task Blanks_at_the_ends_of_metadata_are_no_part_of_it()
    {
        // RFC 9113 §8.2.1 calls them malformed; gRPC's PROTOCOL-HTTP2 lets a receiver strip them, and other implementations send them.
        await using var host = new TestHost();
        host.Service.OnUnary = (_, call) => ValueTask.FromResult($"{call.RequestHeaders.GetValue("before")},{call.RequestHeaders.GetValue("behind")},{call.RequestHeaders.GetValue("all")}.");
        var peer = await ConnectAsync(host);
        await peer.SendAsync(WireFrame.Headers(1, false, [.. Post("Unary"), ("before", " a b"), ("behind", "c\t "), ("all", " ")]), WireFrame.Data(1, Message, endStream: true));
        await CheckResponseAsync(peer, 1, "a b,c,.");
        await CloseAsync(peer);
    }

    [Theory]
    [InlineData("Unary", 1)]
    [InlineData("Unary", 5000)]
    [InlineData("Server", 1)]
    [InlineData("Server", 5000)]
    public async Task A_second_request_is_refused_with_its_first_octet_and_no_handler_runs(string method, int size)
    {
        await using var host = new TestHost();
        host.Service.OnUnary = (request, _) => ValueTask.FromResult(request);
        var peer = await ConnectAsync(host);
        await peer.SendAsync(WireFrame.Headers(1, false, Post(method)), WireFrame.Data(1, [0, 0, 0, (byte)(size >> 8), (byte)size, .. new byte[size]]));
        await peer.SendAsync(WireFrame.Data(1, [0])); // and then nothing more, not even the end
        var refused = await peer.SkipToHeadersAsync();
        Assert.Equal(
            ("12", "the client sent a second request message to a call that has one", true), (refused["grpc-status"], refused["grpc-message"], refused.IsEndStream));
        var reset = await peer.SkipToAsync(WireFrameType.RstStream);
        Assert.Equal((1, Http2ErrorCode.NoError), (reset.StreamId, reset.ErrorCode));
        Assert.Equal(0, host.Activator.Created);
        await peer.SendAsync(WireFrame.Headers(3, false, Post("Unary")), WireFrame.Data(3, Message, endStream: true));
        await CheckResponseAsync(peer, 3, "x");
        await CloseAsync(peer);
    }

    [Theory]
    [InlineData("Unary")]
    [InlineData("Server")]
    [InlineData("Client")]
    public async Task A_request_above_the_limit_is_refused_with_the_last_octet_of_its_prefix(string method)
    {
        await using var host = new TestHost(server => server.MaxReceiveMessageBytes = 10);
        host.Service.OnUnary = (request, _) => ValueTask.FromResult(request);
        host.Service.OnClient = async (requests, _) => $"{(await requests.ToListAsync()).Count}";
        var peer = await ConnectAsync(host);
        await peer.SendAsync(WireFrame.Headers(1, false, Post(method)), WireFrame.Data(1, [0, 0, 0, 0]));
        await peer.SendAsync(WireFrame.Data(1, [11])); // and then nothing more, not even the end
        var refused = await peer.SkipToHeadersAsync();
        Assert.Equal(
            ("8", "received message of 11 bytes; the limit is 10 (MaxReceiveMessageBytes)", true), (refused["grpc-status"], refused["grpc-message"], refused.IsEndStream));
        var reset = await peer.SkipToAsync(WireFrameType.RstStream);
        Assert.Equal((1, Http2ErrorCode.NoError), (reset.StreamId, reset.ErrorCode));
        await peer.SendAsync(WireFrame.Headers(3, false, Post("Unary")), WireFrame.Data(3, Message, endStream: true));
        await CheckResponseAsync(peer, 3, "x");
        await CloseAsync(peer);
    }

    [Fact]
    public async Task Data_after_the_end_of_the_request_is_StreamClosed()
    {
        await using var host = new TestHost();
        var go = new TaskCompletionSource();
        host.Service.OnUnary = async (request, _) =>
        {
            await go.Task;
            return request;
        };
        var peer = await ConnectAsync(host);
        await peer.SendAsync(WireFrame.Headers(1, false, Post("Unary")), WireFrame.Data(1, Message, endStream: true), WireFrame.Data(1, Message));
        var reset = await peer.SkipToAsync(WireFrameType.RstStream);
        Assert.Equal((1, Http2ErrorCode.StreamClosed), (reset.StreamId, reset.ErrorCode));
        go.SetResult();
        await peer.SendAsync(WireFrame.Headers(3, false, Post("Unary")), WireFrame.Data(3, Message, endStream: true));
        await CheckResponseAsync(peer, 3, "x");
        await CloseAsync(peer);
    }

    private static (string, string)[] Post(string method) =>
    [
        (":method", "POST"), (":scheme", "http"), (":path", $"/test.Service/{method}"), (":authority", "test"), ("te", "trailers"), ("content-type", "application/grpc"),
    ];

    private static async Task<WirePeer> ConnectAsync(TestHost host)
    {
        var peer = new WirePeer(await host.ConnectAsync());
        await peer.SendPrefaceAsync();
        await peer.SkipToAsync(WireFrameType.Settings);
        await peer.SendAsync(WireFrame.SettingsAck());
        return peer;
    }

    private static async Task CheckResponseAsync(WirePeer peer, int stream, string text)
    {
        var headers = await peer.SkipToHeadersAsync();
        Assert.Equal((stream, "200", false), (headers.StreamId, headers[":status"], headers.IsEndStream));
        var data = await peer.SkipToAsync(WireFrameType.Data);
        Assert.Equal($"\0\0\0\0{(char)text.Length}{text}", System.Text.Encoding.UTF8.GetString(data.Content.Span));
        var trailers = await peer.SkipToHeadersAsync();
        Assert.Equal((stream, "0", true), (trailers.StreamId, trailers["grpc-status"], trailers.IsEndStream));
    }

    private static async Task CloseAsync(WirePeer peer)
    {
        await peer.CompleteOutputAsync();
        await peer.CompleteInputAsync();
    }
}
