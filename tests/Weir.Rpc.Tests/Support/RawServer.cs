using System.IO.Pipelines;
using System.Text;
using Weir.Http2;

namespace Weir.Rpc.Tests.Support;

/// <summary>A server that answers in whatever way a test writes down, right or wrong; the channel under test connects to it.</summary>
internal sealed class RawServer : IHttp2ServerHandler, IAsyncDisposable
{
    private readonly List<Http2Connection> _connections = [];
    private readonly Http2Options _options;

    public RawServer(Func<Http2Stream, int, Action> answer, Http2Options? options = null, Action<RpcChannelOptions>? channel = null)
    {
        Answer = answer;
        _options = options ?? new Http2Options();
        var channelOptions = new RpcChannelOptions { ConnectTransport = ConnectAsync };
        channel?.Invoke(channelOptions);
        Channel = RpcChannel.ForAddress("http://raw:80", channelOptions);
    }

    public RpcChannel Channel { get; }

    public int Requests { get; private set; }

    public Dictionary<string, string> LastRequest { get; private set; } = [];

    public IReadOnlyList<Http2Connection> Connections => _connections;

    /// <summary>Given a request's stream and its number from 0: what to do after the request was taken.</summary>
    private Func<Http2Stream, int, Action> Answer { get; }

    public static HeaderField[] Headers(params string[] fields) => [.. fields.Select(field => field.Split('=', 2)).Select(field => new HeaderField(field[0], field[1]))];

    public static HeaderField[] Ok => Headers(":status=200", "content-type=application/grpc");

    /// <summary>A message with its prefix.</summary>
    public static RawPayload Message(string text) => new([0, 0, 0, 0, (byte)text.Length, .. Encoding.UTF8.GetBytes(text)]);

    public UnaryCall<string> Unary(CallOptions options = default) => Channel.Unary(TestService.UnaryMethod, "request", options, default);

    public ServerStreamingCall<string> ServerStream(CallOptions options = default) => Channel.ServerStreaming(TestService.ServerMethod, "request", options, default);

    public IHttp2StreamListener OnRequest(Http2Stream stream, ReadOnlySpan<HeaderField> headers, bool endStream)
    {
        LastRequest = headers.ToArray().ToDictionary(field => field.Name, field => field.Value);
        var answer = Answer(stream, Requests++);
        ThreadPool.QueueUserWorkItem(_ => answer());
        return new Deaf();
    }

    public async ValueTask DisposeAsync()
    {
        await Channel.DisposeAsync().SoonAsync("the channel to be disposed of");
        foreach (var connection in _connections)
        {
            await connection.DisposeAsync().SoonAsync("the raw server's connection to end");
        }
    }

    private ValueTask<IDuplexPipe> ConnectAsync(CancellationToken cancellationToken)
    {
        var pair = new PipePair();
        var connection = Http2Connection.CreateServer(pair.Server, this, _options);
        lock (_connections)
        {
            _connections.Add(connection);
        }

        _ = connection.RunAsync(); // awaited by DisposeAsync
        return new ValueTask<IDuplexPipe>(pair.Client);
    }

    internal readonly struct RawPayload(byte[] octets) : IPayload
    {
        public int Length => octets.Length;

        public void WriteTo(Span<byte> destination) => octets.CopyTo(destination);
    }

    private sealed class Deaf : IHttp2StreamListener
    {
        public void OnHeaders(ReadOnlySpan<HeaderField> headers, bool endStream)
        {
        }

        public void OnReadable()
        {
        }

        public void OnAborted(Http2StreamAbort abort)
        {
        }
    }
}
