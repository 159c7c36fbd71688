// Metadata both ways: headers before the message, trailers after it, bytes under a name that ends in -bin.
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
var headers = new Metadata();
headers.Add("tenant", "acme");
headers.Add("token-bin", new byte[] { 1, 2, 3 });
var call = client.SayHello(new HelloRequest { Name = "Ada" }, new CallOptions { Headers = headers });
Console.WriteLine($"header: {(await call.GetResponseHeadersAsync()).GetValue("served-by")}");
Console.WriteLine((await call).Message);
Console.WriteLine($"trailer: {call.Trailers.GetValue("cost")}");

internal sealed class GreeterService : Greeter.Server
{
    public override async ValueTask<HelloReply> SayHello(HelloRequest request, ServerCall call)
    {
        var tenant = call.RequestHeaders.GetValue("tenant");
        var token = call.RequestHeaders.GetBytes("token-bin");
        var headers = new Metadata();
        headers.Add("served-by", "weir");
        await call.SendHeadersAsync(headers);
        call.ResponseTrailers.Add("cost", "7");
        return new HelloReply { Message = $"Hello, {request.Name} of {tenant} with a token of {token?.Length} bytes!" };
    }
}
