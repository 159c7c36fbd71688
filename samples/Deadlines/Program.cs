// A deadline, and a token, end a call on both sides, and the calls that were made for it.
using System.Threading.Channels;
using Samples;
using Weir.AspNetCore;
using Weir.Rpc;

var builder = WebApplication.CreateSlimBuilder(args);
builder.WebHost.UseUrls("http://127.0.0.1:0"); // any free port
builder.Logging.ClearProviders();
builder.AddWeir();
await using var app = builder.Build();
app.MapRpc<SlowService>();
await app.StartAsync();

await using var channel = RpcChannel.ForAddress(app.Urls.Single());
var client = new Slow.Client(channel);
using var stop = new CancellationTokenSource();
var call = client.Wait(new WaitRequest(), cancellationToken: stop.Token);
await SlowService.Begun.Reader.ReadAsync();
await stop.CancelAsync();
try
{
    await call;
}
catch (RpcException error) when (error.StatusCode == StatusCode.Cancelled)
{
    Console.WriteLine("client: Cancelled");
}

Console.WriteLine($"server: {await SlowService.Ended.Reader.ReadAsync()}");

// A deadline does the same at its time.
try
{
    await client.Wait(new WaitRequest(), new CallOptions { Timeout = TimeSpan.FromSeconds(1) });
}
catch (RpcException error) when (error.StatusCode == StatusCode.DeadlineExceeded)
{
    Console.WriteLine("client: DeadlineExceeded");
}

await SlowService.Begun.Reader.ReadAsync();
Console.WriteLine($"server: {await SlowService.Ended.Reader.ReadAsync()}");

// A server that calls another one for it passes on what is left of the time, and the cancellation.
var front = WebApplication.CreateSlimBuilder(args);
front.WebHost.UseUrls("http://127.0.0.1:0");
front.Logging.ClearProviders();
front.AddWeir();
front.Services.AddSingleton(client);
await using var desk = front.Build();
desk.MapRpc<DeskService>();
await desk.StartAsync();
await using var deskChannel = RpcChannel.ForAddress(desk.Urls.Single());
try
{
    await new Desk.Client(deskChannel).Ask(new WaitRequest(), new CallOptions { Timeout = TimeSpan.FromSeconds(1) });
}
catch (RpcException error) when (error.StatusCode == StatusCode.DeadlineExceeded)
{
    Console.WriteLine("client of the desk: DeadlineExceeded");
}

await SlowService.Begun.Reader.ReadAsync();
Console.WriteLine($"server behind the desk: {await SlowService.Ended.Reader.ReadAsync()}");

// The same for every call of the clients, when the container is asked for it.
var shop = WebApplication.CreateSlimBuilder(args);
shop.WebHost.UseUrls("http://127.0.0.1:0");
shop.Logging.ClearProviders();
shop.AddWeir();
shop.Services.AddRpcChannel(app.Urls.Single()).AddClient<Slow.Client>().PropagateCalls();
await using var store = shop.Build();
store.MapRpc<ShopService>();
await store.StartAsync();
await using var storeChannel = RpcChannel.ForAddress(store.Urls.Single());
try
{
    await new Desk.Client(storeChannel).Ask(new WaitRequest(), new CallOptions { Timeout = TimeSpan.FromSeconds(1) });
}
catch (RpcException error) when (error.StatusCode == StatusCode.DeadlineExceeded)
{
    Console.WriteLine("client of the shop: DeadlineExceeded");
}

await SlowService.Begun.Reader.ReadAsync();
Console.WriteLine($"server behind the shop: {await SlowService.Ended.Reader.ReadAsync()}");

internal sealed class ShopService(Slow.Client slow) : Desk.Server
{
    public override async ValueTask<WaitReply> Ask(WaitRequest request, ServerCall call) => await slow.Wait(request); // has call's deadline and cancellation
}

internal sealed class DeskService(Slow.Client slow) : Desk.Server
{
    public override async ValueTask<WaitReply> Ask(WaitRequest request, ServerCall call) => await slow.Wait(request, CallOptions.For(call));
}

internal sealed class SlowService : Slow.Server
{
    public static readonly Channel<string> Begun = Channel.CreateBounded<string>(2);
    public static readonly Channel<string> Ended = Channel.CreateBounded<string>(2);

    public override async ValueTask<WaitReply> Wait(WaitRequest request, ServerCall call)
    {
        Begun.Writer.TryWrite(call.Method);
        try
        {
            await Task.Delay(Timeout.Infinite, call.CancellationToken); // fires at the deadline, on a cancellation, on a lost connection
            return new WaitReply();
        }
        finally
        {
            Ended.Writer.TryWrite(call.Deadline is null ? "stopped by the client" : "stopped at the deadline");
        }
    }
}
