using System.Buffers;
using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;
using Weir.Rpc.Tests.Support;

namespace Weir.Rpc.Tests;

/// <summary>Compression on the wire, against peers that put flags, headers and octets together themselves.</summary>
/// <remarks>https://github.com/grpc/grpc/blob/master/doc/compression.md, "Test cases".</remarks>
public sealed class CompressionWireTests
{
    private static readonly string Text = new('x', 2000);

    [Theory]
    [InlineData("gzip")]
    [InlineData("deflate")]
    [InlineData("br")]
    public async Task A_compressed_request_is_served_and_the_response_compressed_as_the_client_accepts(string name)
    {
        await using var host = new TestHost(server => server.Compression = MessageCompression.Gzip);
        host.Service.OnUnary = (request, call) => ValueTask.FromResult(request + call.CompressedRequests);
        await using var client = await RawClient.ConnectAsync(host);
        var call = client.Send([.. RawClient.Post(), $"grpc-encoding={name}", "grpc-accept-encoding=br, gzip"], Frame(1, Compress(name, Text)));
        Assert.Equal(
            [":status=200; content-type=application/grpc; grpc-encoding=gzip; grpc-accept-encoding=identity,gzip,deflate,br", "grpc-status=0 END"],
            await call.EndAsync());
        Assert.True(call.Stream.TryRead(1, out var body));
        Assert.Equal((1, Text + "1"), Unframe(body.ToArray()));
    }

    [Theory]
    [InlineData(null, null, false)]
    [InlineData("gzip", null, true)] // reads what it writes
    [InlineData("deflate", null, false)]
    [InlineData(null, "identity", false)]
    [InlineData("gzip", "deflate,br", false)]
    [InlineData(null, "deflate,gzipper,xgzip", false)]
    [InlineData(null, "deflate,gzip", true)]
    [InlineData(null, "", false)]
    public async Task A_response_is_never_compressed_with_what_the_client_does_not_accept(string? encoding, string? accepted, bool isCompressed)
    {
        foreach (var byHandler in new[] { false, true })
        {
            await using var host = new TestHost(server => server.Compression = byHandler ? null : MessageCompression.Gzip);
            host.Service.OnUnary = (_, serverCall) =>
            {
                if (byHandler)
                {
                    serverCall.ResponseCompression = MessageCompression.Gzip;
                }

                Assert.Equal(isCompressed ? MessageCompression.Gzip : null, serverCall.ResponseCompression);
                return ValueTask.FromResult(Text);
            };
            await using var client = await RawClient.ConnectAsync(host);
            List<string> fields = [.. RawClient.Post()];
            if (encoding is not null)
            {
                fields.Add($"grpc-encoding={encoding}");
            }

            if (accepted is not null)
            {
                fields.Add($"grpc-accept-encoding={accepted}");
            }

            var call = client.Send([.. fields], Frame(0, []));
            var headers = (await call.EndAsync())[0];
            Assert.Equal(isCompressed, headers.Contains("grpc-encoding=gzip", StringComparison.Ordinal));
            Assert.True(call.Stream.TryRead(1, out var body));
            Assert.Equal(isCompressed ? (1, Text) : (0, Text), Unframe(body.ToArray()));
        }
    }

    [Fact]
    public async Task A_client_names_its_encoding_and_what_it_accepts()
    {
        await using var server = new RawServer(
            (stream, _) => () => stream.SendHeaders([.. RawServer.Ok, .. RawServer.Headers("grpc-status=0")], endStream: true),
            channel: channel => channel.AcceptedCompressions = [MessageCompression.Deflate]);
        await server.ServerStream().ToListAsync().SoonAsync();
        Assert.False(server.LastRequest.ContainsKey("grpc-encoding"));
        Assert.Equal("identity,deflate", server.LastRequest["grpc-accept-encoding"]);
        await server.ServerStream(new CallOptions { Compression = MessageCompression.Gzip }).ToListAsync().SoonAsync();
        Assert.Equal("gzip", server.LastRequest["grpc-encoding"]);
        await server.ServerStream(new CallOptions { Compression = MessageCompression.Identity }).ToListAsync().SoonAsync();
        Assert.False(server.LastRequest.ContainsKey("grpc-encoding"));

        await using var plain = new RawServer(
            (stream, _) => () => stream.SendHeaders([.. RawServer.Ok, .. RawServer.Headers("grpc-status=0")], endStream: true),
            channel: channel => channel.AcceptedCompressions = []);
        await plain.ServerStream().ToListAsync().SoonAsync();
        Assert.False(plain.LastRequest.ContainsKey("grpc-accept-encoding"));
    }

    [Fact]
    public async Task A_request_is_on_the_wire_as_the_named_encoding_says()
    {
        var body = new TaskCompletionSource<byte[]>();
        await using var server = new RawServer((stream, _) => () =>
        {
            SpinWait.SpinUntil(() => stream.IsInputCompleted, Within.Limit);
            Assert.True(stream.TryRead(1, out var data));
            body.SetResult([.. data.ToArray()]);
            stream.SendHeaders([.. RawServer.Ok, .. RawServer.Headers("grpc-status=0")], endStream: true);
        });
        await using var call = server.Channel.ClientStreaming(TestService.ClientMethod, new CallOptions { Compression = MessageCompression.Gzip }, default);
        await call.SendAsync(Text).SoonAsync();
        await call.SendAsync("short").SoonAsync(); // would only get longer
        _ = call.CompleteAsync().FailsAsync(StatusCode.Unimplemented); // no response message
        var octets = await body.Task.SoonAsync();
        var length = BinaryPrimitives.ReadInt32BigEndian(octets.AsSpan(1));
        Assert.InRange(length, 10, 100);
        Assert.Equal((1, Text), Unframe(octets[..(5 + length)]));
        Assert.Equal("\0\0\0\0\u0005short"u8, octets.AsSpan(5 + length));
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("deflate")]
    [InlineData("br")]
    public async Task A_compressed_response_is_read(string name)
    {
        await using var server = new RawServer((stream, _) => () =>
        {
            stream.SendHeaders([.. RawServer.Ok, .. RawServer.Headers($"grpc-encoding={name}")], endStream: false);
            stream.TrySend(new RawServer.RawPayload([.. Frame(1, Compress(name, Text)), .. Frame(0, "plain"u8.ToArray()), .. Frame(1, Compress(name, ""))]));
            stream.SendHeaders(RawServer.Headers("grpc-status=0"), endStream: true);
        });
        await using var call = server.ServerStream();
        Assert.Equal([Text, "plain", ""], await call.ToListAsync().SoonAsync());
        Assert.Equal(2, call.CompressedResponses);
    }

    [Theory]
    [InlineData("")]
    [InlineData("grpc-encoding=identity")]
    public async Task A_compressed_flag_without_an_encoding_is_Internal_on_both_sides(string field)
    {
        const string Detail = "received a message whose compressed flag is 1 without a grpc-encoding other than identity";
        string[] fields = field.Length == 0 ? [] : [field];
        await using var server = new RawServer((stream, _) => () =>
        {
            stream.SendHeaders([.. RawServer.Ok, .. RawServer.Headers(fields)], endStream: false);
            stream.TrySend(new RawServer.RawPayload(Frame(1, Compress("gzip", Text))));
            stream.SendHeaders(RawServer.Headers("grpc-status=0"), endStream: true);
        });
        Assert.Equal(Detail, (await server.Unary().AsTask().FailsAsync(StatusCode.Internal)).Status.Detail);

        await using var host = new TestHost();
        host.Service.OnUnary = (request, _) => ValueTask.FromResult(request);
        await using var client = await RawClient.ConnectAsync(host);
        var call = client.Send([.. RawClient.Post(), .. fields], Frame(1, Compress("gzip", Text)));
        Assert.Contains($"grpc-status=13; grpc-message={Detail} END", (await call.EndAsync())[0], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("deflate")]
    [InlineData("br")]
    public async Task Data_that_cannot_be_decompressed_is_Internal_on_both_sides_and_the_next_call_served(string name)
    {
        var good = Compress(name, Text);
        byte[] flipped = [.. good];
        flipped[^(good.Length / 3)] ^= 0xff;
        byte[][] bad = [[], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10], good[..^1], good[..(good.Length / 2)], flipped];
        var next = good;
        await using var server = new RawServer((stream, _) => () =>
        {
            stream.SendHeaders([.. RawServer.Ok, .. RawServer.Headers($"grpc-encoding={name}")], endStream: false);
            stream.TrySend(new RawServer.RawPayload(Frame(1, next)));
            stream.SendHeaders(RawServer.Headers("grpc-status=0"), endStream: true);
        });
        await using var host = new TestHost();
        host.Service.OnUnary = (request, _) => ValueTask.FromResult(request);
        await using var client = await RawClient.ConnectAsync(host);
        string[] fields = [.. RawClient.Post(), $"grpc-encoding={name}"];
        foreach (var octets in bad)
        {
            next = octets;
            var error = await server.Unary().AsTask().FailsAsync(StatusCode.Internal, $"{name}: {Convert.ToHexString(octets)}");
            Assert.StartsWith($"a received message cannot be decompressed with {name}: ", error.Status.Detail, StringComparison.Ordinal);

            var call = client.Send(fields, Frame(1, octets));
            Assert.Contains($"grpc-status=13; grpc-message=a received message cannot be decompressed with {name}", (await call.EndAsync())[0], StringComparison.Ordinal);
        }

        next = good;
        Assert.Equal(Text, await server.Unary().SoonAsync());
        Assert.Equal("grpc-status=0 END", (await client.Send(fields, Frame(1, good)).EndAsync())[^1]);
    }

    private static byte[] Compress(string name, string text)
    {
        var compressed = new MemoryStream();
        using (Stream stream = name switch
        {
            "gzip" => new GZipStream(compressed, CompressionLevel.Optimal),
            "deflate" => new ZLibStream(compressed, CompressionLevel.Optimal),
            _ => new BrotliStream(compressed, CompressionLevel.Optimal),
        })
        {
            stream.Write(Encoding.UTF8.GetBytes(text));
        }

        // The framework's streams write nothing for nothing; other coders write a whole empty stream.
        return compressed.ToArray() is { Length: > 0 } octets ? octets : Convert.FromHexString(name switch
        {
            "gzip" => "1F8B08000000000000FF03000000000000000000",
            "deflate" => "789C030000000001",
            _ => "3B",
        });
    }

    private static byte[] Frame(byte flag, byte[] payload)
    {
        var prefix = new byte[5];
        prefix[0] = flag;
        BinaryPrimitives.WriteInt32BigEndian(prefix.AsSpan(1), payload.Length);
        return [.. prefix, .. payload];
    }

    /// <summary>The flag and the text of one message, which is all there is; compressed, it is gzip.</summary>
    private static (int Flag, string Text) Unframe(byte[] body)
    {
        Assert.Equal(body.Length - 5, BinaryPrimitives.ReadInt32BigEndian(body.AsSpan(1)));
        if (body[0] == 0)
        {
            return (0, Encoding.UTF8.GetString(body.AsSpan(5)));
        }

        using var text = new StreamReader(new GZipStream(new MemoryStream(body, 5, body.Length - 5), CompressionMode.Decompress));
        return (body[0], text.ReadToEnd());
    }
}
