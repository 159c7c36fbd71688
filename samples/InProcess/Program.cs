// A service and its client in one process, without a network: what a test needs.
using Samples;
using Weir.Rpc;

await using var host = InProcessRpc.Start(new GreeterService());
var client = new Greeter.Client(host.Channel);
var reply = await client.SayHello(new HelloRequest { Name = "Ada" });
Console.WriteLine(reply.Message);

internal sealed class GreeterService : Greeter.Server
{
    public override ValueTask<HelloReply> SayHello(HelloRequest request, ServerCall call) =>
        new(new HelloReply { Message = $"Hello, {request.Name}! You call from {call.Peer}." });
}
