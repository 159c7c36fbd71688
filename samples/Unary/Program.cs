// One request, one response.
using Samples;
using Weir.AspNetCore;
using Weir.Rpc;

var builder = WebApplication.CreateSlimBuilder(args);
builder.WebHost.UseUrls("http://127.0.0.1:0"); // any free port
builder.Logging.ClearProviders();
builder.AddWeir();
await using var app = builder.Build();
app.MapRpc<GreeterService>();
await app.StartAsync();

await using var channel = RpcChannel.ForAddress(app.Urls.Single());
var client = new Greeter.Client(channel);
var reply = await client.SayHello(new HelloRequest { Name = "Ada" });
Console.WriteLine(reply.Message);

internal sealed class GreeterService : Greeter.Server
{
    public override ValueTask<HelloReply> SayHello(HelloRequest request, ServerCall call) =>
        new(new HelloReply { Message = $"Hello, {request.Name}!" });
}
