// Requests and responses at the same time.
using Samples;
using Weir.AspNetCore;
using Weir.Rpc;

var builder = WebApplication.CreateSlimBuilder(args);
builder.WebHost.UseUrls("http://127.0.0.1:0"); // any free port
builder.Logging.ClearProviders();
builder.AddWeir();
await using var app = builder.Build();
app.MapRpc<TotalsService>();
await app.StartAsync();

await using var channel = RpcChannel.ForAddress(app.Urls.Single());
var client = new Totals.Client(channel);
await using var call = client.Sum();
var reading = Task.Run(async () =>
{
    await foreach (var total in call.Responses)
        Console.WriteLine($"total {total.Value}");
});
foreach (var value in (long[])[5, 20, 100])
    await call.SendAsync(new Amount { Value = value });
await call.CompleteAsync(); // no more requests
await reading; // the rest of the responses
Console.WriteLine("both directions have ended");

internal sealed class TotalsService : Totals.Server
{
    public override async IAsyncEnumerable<Total> Sum(IAsyncEnumerable<Amount> requests, ServerCall call)
    {
        var total = 0L;
        await foreach (var amount in requests)
            yield return new Total { Value = total += amount.Value };
    }
}
