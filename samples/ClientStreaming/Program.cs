// A stream of requests, one response.
using Samples;
using Weir.AspNetCore;
using Weir.Rpc;

var builder = WebApplication.CreateSlimBuilder(args);
builder.WebHost.UseUrls("http://127.0.0.1:0"); // any free port
builder.Logging.ClearProviders();
builder.AddWeir();
await using var app = builder.Build();
app.MapRpc<StatisticsService>();
await app.StartAsync();

await using var channel = RpcChannel.ForAddress(app.Urls.Single());
var client = new Statistics.Client(channel);
await using var call = client.Average();
foreach (var value in (double[])[3, 4, 8])
    await call.SendAsync(new Measurement { Value = value }); // waits while the server does not keep up
var summary = await call.CompleteAsync(); // no more requests; the one response
Console.WriteLine($"{summary.Count} values, {summary.Average} on average");

internal sealed class StatisticsService : Statistics.Server
{
    public override async ValueTask<Summary> Average(IAsyncEnumerable<Measurement> requests, ServerCall call)
    {
        var (count, sum) = (0, 0.0);
        await foreach (var measurement in requests)
        {
            count++;
            sum += measurement.Value;
        }

        return new Summary { Count = count, Average = count == 0 ? 0 : sum / count };
    }
}
