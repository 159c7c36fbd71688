// Calls that are tried again, as the channel's service config says.
using Samples;
using Weir.AspNetCore;
using Weir.Rpc;

var builder = WebApplication.CreateSlimBuilder(args);
builder.WebHost.UseUrls("http://127.0.0.1:0"); // any free port
builder.Logging.ClearProviders();
builder.Services.AddSingleton<GreeterService>();
builder.AddWeir();
await using var app = builder.Build();
app.MapRpc<GreeterService>();
await app.StartAsync();

var options = new RpcChannelOptions
{
    ServiceConfig = new ServiceConfig
    {
        MethodConfigs =
        [
            new MethodConfig
            {
                Names = [new MethodName(Greeter.ServiceName)],
                RetryPolicy = new RetryPolicy { MaxAttempts = 4, InitialBackoff = TimeSpan.FromMilliseconds(50) },
            },
        ],
    },
};
await using var channel = RpcChannel.ForAddress(app.Urls.Single(), options);
var reply = await new Greeter.Client(channel).SayHello(new HelloRequest { Name = "Ada" });
Console.WriteLine(reply.Message);

internal sealed class GreeterService : Greeter.Server
{
    private int _attempts;

    public override ValueTask<HelloReply> SayHello(HelloRequest request, ServerCall call) => Interlocked.Increment(ref _attempts) < 3
        ? throw new RpcException(StatusCode.Unavailable, "not now")
        : new(new HelloReply { Message = $"Hello, {request.Name}, at the {_attempts}rd attempt!" });
}
