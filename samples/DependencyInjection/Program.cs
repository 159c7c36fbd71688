// What a service needs comes from the container; so does a client.
using Samples;
using Weir.AspNetCore;
using Weir.Rpc;

var builder = WebApplication.CreateSlimBuilder(args);
builder.WebHost.UseUrls("http://127.0.0.1:0"); // any free port
builder.Logging.ClearProviders();
builder.AddWeir(weir => weir.Rpc.MaxReceiveMessageBytes = 1024 * 1024);
builder.Services.AddSingleton<Greetings>();
await using var app = builder.Build();
app.MapRpc<GreeterService>();
await app.StartAsync();

// Another application, whose services call the first.
var front = WebApplication.CreateSlimBuilder(args);
front.Services.AddRpcChannel(app.Urls.Single()) // one channel for all clients of a server
    .AddClient<Greeter.Client>();
front.Services.AddTransient<Visitor>();
await using var visitors = front.Build();
Console.WriteLine(await visitors.Services.GetRequiredService<Visitor>().VisitAsync());

// Made for each call in a scope of its own; a service that is registered as a singleton is one object for all calls.
internal sealed class GreeterService(Greetings greetings) : Greeter.Server
{
    public override ValueTask<HelloReply> SayHello(HelloRequest request, ServerCall call) =>
        new(new HelloReply { Message = greetings.For(request.Name) });
}

internal sealed class Greetings
{
    private int _count;

    public string For(string name) => $"Good morning, {name}! You are visitor {Interlocked.Increment(ref _count)}.";
}

internal sealed class Visitor(Greeter.Client greeter)
{
    public async Task<string> VisitAsync() => (await greeter.SayHello(new HelloRequest { Name = "Ada" })).Message;
}
