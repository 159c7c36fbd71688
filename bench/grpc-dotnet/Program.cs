using System.Globalization;
using Grpc.Core;
using Weir.Bench;

const string Usage = """
    usage: bench-grpc-dotnet server PORT
           bench-grpc-dotnet MODE PORT N STREAMS
           bench-grpc-dotnet rate PORT N STREAMS PER_SECOND

    The same arguments and the same output as bench/Weir.Bench. MODE: list, create, upload, download, large, unary, ping, conns, fan.
    """;

switch (args)
{
    case ["--help" or "-h"]:
        Console.WriteLine(Usage);
        return 0;
    case ["server", var port] when Number(port, 65_535) is { } listen:
        await BenchServer.RunAsync(listen);
        return 0;
    case ["rate", var port, var count, var streams, var rate]
        when Number(port, 65_535) is { } connect && Rounds.Parse(count) is { } pings && Number(streams, Payload.MaxStreams) is { } width
            && Number(rate, 1 << 30) is { } perSecond:
        using (var channel = Workloads.Connect(connect))
            return await MeasureAsync("rate", pings, width, new OpenLoop(channel, perSecond).RunAsync);
    case [var mode, var port, var count, var streams]
        when Number(port, 65_535) is { } connect && Rounds.Parse(count) is { } messages && Number(streams, Payload.MaxStreams) is { } width:
        using (var channel = Workloads.Connect(connect))
        {
            if (new Workloads(connect, channel).Find(mode) is { } workload)
                return await MeasureAsync(mode, messages, width, workload);
        }

        break;
}

Console.Error.WriteLine(Usage);
return 2;

static int? Number(string text, int most) =>
    int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var value) && value >= 1 && value <= most ? value : null;

static async Task<int> MeasureAsync(string mode, IEnumerable<int> messages, int width, Func<Round, Task> workload)
{
    try
    {
        foreach (var count in messages)
        {
            var round = new Round(count, width);
            await workload(round);
            Console.WriteLine(round.Report(mode));
        }

        return 0;
    }
    catch (Exception error) when (error is RpcException or InvalidDataException)
    {
        Console.Error.WriteLine($"{mode}: {error.Message}");
        return 1;
    }
}
