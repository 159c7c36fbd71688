// One request, a stream of responses.
using Samples;
using Weir.AspNetCore;
using Weir.Rpc;

var builder = WebApplication.CreateSlimBuilder(args);
builder.WebHost.UseUrls("http://127.0.0.1:0"); // any free port
builder.Logging.ClearProviders();
builder.AddWeir();
await using var app = builder.Build();
app.MapRpc<CountdownService>();
await app.StartAsync();

await using var channel = RpcChannel.ForAddress(app.Urls.Single());
var client = new Countdown.Client(channel);
await foreach (var reply in client.Count(new CountRequest { From = 3 }))
    Console.WriteLine(reply.Left);
Console.WriteLine("the loop's end is the stream's end");

// Leaving a loop early cancels the call: the server's handler ends too.
await foreach (var reply in client.Count(new CountRequest { From = int.MaxValue }))
{
    if (reply.Left < int.MaxValue - 10)
        break;
}

await CountdownService.Cancelled.Task;
Console.WriteLine("the handler was cancelled");

internal sealed class CountdownService : Countdown.Server
{
    public static readonly TaskCompletionSource Cancelled = new();

    public override async IAsyncEnumerable<CountReply> Count(CountRequest request, ServerCall call)
    {
        var counted = false;
        try
        {
            for (var left = request.From; left > 0; left--)
                yield return new CountReply { Left = left };
            counted = true;
        }
        finally
        {
            if (!counted) // ended from outside
                Cancelled.SetResult();
        }
    }
}
