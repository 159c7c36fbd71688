using System.Text;
using Weir.Http2;

namespace Weir.Rpc.Tests.Support;

/// <summary>A client that sends whatever a test writes down, right or wrong, to the server under test.</summary>
internal sealed class RawClient : IAsyncDisposable
{
    private readonly Http2Connection _connection;

    private RawClient(Http2Connection connection) => _connection = connection;

    public static string[] Post(string path = "/test.Service/Unary") =>
        [":method=POST", ":scheme=http", $":path={path}", ":authority=test", "te=trailers", "content-type=application/grpc"];

    public static async Task<RawClient> ConnectAsync(TestHost host)
    {
        var connection = Http2Connection.CreateClient(await host.ConnectAsync());
        _ = connection.RunAsync(); // awaited by DisposeAsync
        Assert.True(await connection.Ready.SoonAsync());
        return new RawClient(connection);
    }

    /// <summary>Sends a request: its fields, and octets for its body.</summary>
    public RawCall Send(string[] fields, byte[] body, bool end = true)
    {
        var call = new RawCall();
        call.Stream = _connection.TryOpenStream(call, RawServer.Headers(fields), endStream: false)!;
        try
        {
            Assert.True(call.Stream.TrySend(new RawServer.RawPayload(body)));
            if (end)
            {
                call.Stream.SendEndOfStream();
            }
        }
        catch (Http2StreamException) when (!end)
        {
            // The server has answered without the body.
        }

        return call;
    }

    /// <summary>Completes when the server has taken everything that was sent before: it refuses a method that it does not know in its turn.</summary>
    public Task FenceAsync() => Send(Post("/test.Service/None"), [], end: false).EndAsync();

    public async ValueTask DisposeAsync() => await _connection.DisposeAsync().SoonAsync("the raw client's connection to end");

    internal sealed class RawCall : IHttp2StreamListener
    {
        private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Http2Stream Stream { get; set; } = null!;

        /// <summary>All header blocks, each "name=value; name=value" and "END" when it ends the stream; a reset as "RST CODE".</summary>
        public List<string> Blocks { get; } = [];

        /// <summary>Completes with the blocks when the response has ended.</summary>
        public async Task<List<string>> EndAsync()
        {
            await _ended.Task.SoonAsync("the response to end");
            return Blocks;
        }

        public string Body => Stream.TryRead(1, out var data) ? Encoding.UTF8.GetString(data) : "";

        public void OnHeaders(ReadOnlySpan<HeaderField> headers, bool endStream)
        {
            Blocks.Add(string.Join("; ", headers.ToArray().Select(field => $"{field.Name}={field.Value}")) + (endStream ? " END" : ""));
            if (endStream)
            {
                _ended.TrySetResult();
            }
        }

        public void OnReadable()
        {
        }

        public void OnAborted(Http2StreamAbort abort)
        {
            Blocks.Add($"RST {abort.ErrorCode}");
            _ended.TrySetResult();
        }
    }
}
