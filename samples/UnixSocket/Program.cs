// Calls over a Unix socket: no port, and the file's folder decides who may connect.
using Samples;
using Weir.AspNetCore;
using Weir.Rpc;

var folder = Directory.CreateTempSubdirectory("weir-sample-");
try
{
    var path = Path.Combine(folder.FullName, "greeter");
    var builder = WebApplication.CreateSlimBuilder(args);
    builder.WebHost.UseUrls($"http://unix:{path}");
    builder.Logging.ClearProviders();
    builder.AddWeir();
    await using var app = builder.Build();
    app.MapRpc<GreeterService>();
    await app.StartAsync();

    await using var channel = RpcChannel.ForAddress($"unix:{path}");
    var reply = await new Greeter.Client(channel).SayHello(new HelloRequest { Name = "Ada" });
    Console.WriteLine(reply.Message);
}
finally
{
    folder.Delete(recursive: true);
}

internal sealed class GreeterService : Greeter.Server
{
    public override ValueTask<HelloReply> SayHello(HelloRequest request, ServerCall call) =>
        new(new HelloReply { Message = $"Hello, {request.Name}! You call from {call.Peer}." });
}
