// gRPC's health service over ASP.NET Core's health checks, and server reflection for tools such as grpcurl.
using Grpc.Health.V1;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Samples;
using Weir.AspNetCore;
using Weir.Rpc;

var database = new Database();
var builder = WebApplication.CreateSlimBuilder(args);
builder.WebHost.UseUrls("http://127.0.0.1:0"); // any free port
builder.Logging.ClearProviders();
builder.AddWeir();
builder.Services.AddRpcHealth(health =>
    {
        health.Period = TimeSpan.FromMilliseconds(100);
        health.Map(Greeter.ServiceName, check => check.Name == "database");
    })
    .AddCheck("database", database);
await using var app = builder.Build();
app.MapRpc<GreeterService>();
app.MapRpcHealth();
app.MapRpcReflection();
await app.StartAsync();

await using var channel = RpcChannel.ForAddress(app.Urls.Single());
var health = new Grpc.Health.V1.Health.Client(channel);
await foreach (var now in health.Watch(new HealthCheckRequest { Service = Greeter.ServiceName }))
{
    if (now.Status == HealthCheckResponse.Types.ServingStatus.Serving)
    {
        Console.WriteLine($"{Greeter.ServiceName} serves");
        database.IsUp = false;
    }
    else if (!database.IsUp)
    {
        Console.WriteLine($"{Greeter.ServiceName} does not serve: its database is down");
        break;
    }
}

internal sealed class Database : IHealthCheck
{
    public volatile bool IsUp = true;

    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken) =>
        Task.FromResult(IsUp ? HealthCheckResult.Healthy() : HealthCheckResult.Unhealthy());
}

internal sealed class GreeterService : Greeter.Server
{
    public override ValueTask<HelloReply> SayHello(HelloRequest request, ServerCall call) => new(new HelloReply { Message = $"Hello, {request.Name}!" });
}
