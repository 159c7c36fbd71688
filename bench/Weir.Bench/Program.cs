using System.Globalization;
using System.Net.Sockets;
using Weir.Bench;
using Weir.Bench.Scale;
using Weir.Bench.UsersAtOnce;
using Weir.Rpc;

const string Usage = """
    usage: Weir.Bench server PORT
           Weir.Bench MODE PORT N STREAMS
           Weir.Bench rate PORT N STREAMS PER_SECOND
           Weir.Bench scale-server PORT
           Weir.Bench scale PORT [idle|throughput|stalled|burst]...
           Weir.Bench unread PORT N STREAMS
           Weir.Bench users-server PORT FOLDER
           Weir.Bench users-list|users-create PORT N stream|message
           Weir.Bench tcp-server PORT
           Weir.Bench tcp-upload-KIB|tcp-download-KIB|tcp-ping|tcp-ping-async PORT N STREAMS
           Weir.Bench parse N 1|2

    Three rounds on one connection to 127.0.0.1:PORT, a line each; with N "-" a round for each line of standard input, which is its N. The variable
    BENCH_HOST names another address for server and client.
    N is the number of messages in all, shared out over STREAMS calls at a time. MODE is one of
      list      the server sends N users of 38 bytes (GetUserList, page_size = how many)
      create    the client sends N users of 38 bytes (CreateUsers)
      upload    the client sends N chunks of 64 KiB (UploadFile)
      download  the server sends N chunks of 64 KiB (Download)
      large     the server sends N messages of 4 MiB (Download)
      unary     N calls of one request and one answer (Echo)
      ping      N round trips in the room "echo" (Chat)
      conns     ping over STREAMS connections with one stream each, opening and closing them included
      fan       STREAMS members of one room, one of them sends N messages to all: N x STREAMS deliveries (Chat)

    rate         PER_SECOND pings, N in all, each sent when its time has come whether or not answers are back; percentiles from that time on
    scale        idle streams, throughput by streams, a reader that stands still, what is left after a burst: as Markdown; scale-server gives
                 memory back when it is idle, as Weir's own server does
    unread       STREAMS downloads read N chunks of 64 KiB in all and then no more: what the client holds then
    users-*      N users out of or into the SQLite file of Weir's own server, as a stream (GetUserList, CreateUsers) or as one message
                 that holds them all; seven rounds; users-list takes what users-create has put there

    The limits, without any RPC:
    tcp-*        a connection a stream, both ends in blocking calls: N blocks of 64, 128 or 256 KiB one way, or N round trips of 51 bytes, what a ping
                 has on the wire; tcp-ping-async waits for each send and receive asynchronously
    parse        N users serialised and parsed by one thread, or serialised by one and parsed by another

    ttf is the time to the first answer; msg/s and MB/s (10^6 bytes) count the payload; clientcpu is CPU seconds by wall seconds.
    """;

switch (args)
{
    case ["--help" or "-h"]:
        Console.WriteLine(Usage);
        return 0;
    case ["server", var port] when Number(port, 65_535) is { } listen:
        await BenchServer.RunAsync(listen, trims: false);
        return 0;
    case ["scale-server", var port] when Number(port, 65_535) is { } listen:
        await BenchServer.RunAsync(listen, trims: true);
        return 0;
    case ["scale", var port, .. var parts] when Number(port, 65_535) is { } connect && parts.All(ScaleRun.Parts.Contains):
        await using (var channel = Workloads.Connect(connect))
            return await RunAsync("scale", () => new ScaleRun(connect, channel).RunAsync(parts.Length > 0 ? parts : ScaleRun.Parts));
    case ["unread", var port, var count, var streams]
        when Number(port, 65_535) is { } connect && Number(count, 1 << 30) is { } chunks && Number(streams, Payload.MaxStreams) is { } width:
        await using (var channel = Workloads.Connect(connect))
            return await RunAsync("unread", () => Unread.RunAsync(channel, chunks, width));
    case ["users-server", var port, var folder] when Number(port, 65_535) is { } listen:
        await UsersServer.RunAsync(listen, folder);
        return 0;
    case ["users-list" or "users-create", var port, var count, "stream" or "message"]
        when Number(port, 65_535) is { } connect && Number(count, 1 << 30) is { } users:
        await using (var channel = UsersClient.Connect(connect))
            return await RunAsync(args[0], () => new UsersClient(channel, users, args[3] == "stream").RunAsync(args[0] == "users-create"));
    case ["tcp-server", var port] when Number(port, 65_535) is { } listen:
        TcpLimit.Serve(listen);
        return 0;
    case ["parse", var count, "1" or "2"] when Rounds.Parse(count) is { } messages:
        var threads = args[2] == "1" ? 1 : 2;
        return await MeasureAsync("parse", messages, threads, threads == 1 ? ParseLimit.OneThread : ParseLimit.TwoThreads);
    case ["rate", var port, var count, var streams, var rate]
        when Number(port, 65_535) is { } connect && Rounds.Parse(count) is { } pings && Number(streams, Payload.MaxStreams) is { } width
            && Number(rate, 1 << 30) is { } perSecond:
        await using (var channel = Workloads.Connect(connect))
            return await MeasureAsync("rate", pings, width, new OpenLoop(channel, perSecond).RunAsync);
    case [var mode, var port, var count, var streams]
        when Number(port, 65_535) is { } connect && Rounds.Parse(count) is { } messages:
        await using (var channel = Workloads.Connect(connect))
        {
            var calls = new Workloads(connect, channel);
            if (Number(streams, Payload.MaxStreams) is not { } width)
                break;
            if ((calls.Find(mode) ?? TcpLimit.Find(mode, connect)) is { } workload)
                return await MeasureAsync(mode, messages, width, workload);
        }

        break;
}

Console.Error.WriteLine(Usage);
return 2;

static int? Number(string text, int most) =>
    int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var value) && value >= 1 && value <= most ? value : null;

static Task<int> MeasureAsync(string mode, IEnumerable<int> messages, int width, Func<Round, Task> workload) => RunAsync(mode, async () =>
{
    foreach (var count in messages)
    {
        var round = new Round(count, width);
        await workload(round);
        Console.WriteLine(round.Report(mode));
    }
});

static async Task<int> RunAsync(string mode, Func<Task> run)
{
    try
    {
        await run();
        return 0;
    }
    catch (Exception error) when (error is RpcException or InvalidDataException or SocketException)
    {
        Console.Error.WriteLine($"{mode}: {error.Message}");
        return 1;
    }
}
