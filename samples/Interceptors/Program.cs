// What all calls need, in one place: interceptors on both sides, for all four kinds of call alike.
using Samples;
using Weir.AspNetCore;
using Weir.Rpc;

var builder = WebApplication.CreateSlimBuilder(args);
builder.WebHost.UseUrls("http://127.0.0.1:0"); // any free port
builder.Logging.ClearProviders();
builder.AddWeir(weir => weir.Interceptors.Add<TokenCheck>()); // made for each call in its scope, as a service is
await using var app = builder.Build();
app.MapRpc<GreeterService>();
await app.StartAsync();

var request = new HelloRequest { Name = "Ada" };
await using var stranger = RpcChannel.ForAddress(app.Urls.Single());
try
{
    await new Greeter.Client(stranger).SayHello(request);
}
catch (RpcException error)
{
    Console.WriteLine($"without a token: {error.StatusCode}");
}

var options = new RpcChannelOptions();
options.Interceptors.Add(new TokenSource("secret"));
await using var channel = RpcChannel.ForAddress(app.Urls.Single(), options);
Console.WriteLine($"with a token: {(await new Greeter.Client(channel).SayHello(request)).Message}");

internal sealed class TokenSource(string token) : ClientInterceptor
{
    public override IAsyncEnumerable<TResponse> Invoke<TRequest, TResponse>(
        OutgoingCall call, IAsyncEnumerable<TRequest> requests, Func<IAsyncEnumerable<TRequest>, IAsyncEnumerable<TResponse>> next)
    {
        call.RequestHeaders.Add("authorization", $"Bearer {token}");
        return next(requests);
    }
}

internal sealed class TokenCheck : ServerInterceptor
{
    public override IAsyncEnumerable<TResponse> Invoke<TRequest, TResponse>(
        ServerCall call, IAsyncEnumerable<TRequest> requests, Func<IAsyncEnumerable<TRequest>, IAsyncEnumerable<TResponse>> next) =>
        call.RequestHeaders.GetValue("authorization") == "Bearer secret"
            ? next(requests)
            : throw new RpcException(StatusCode.Unauthenticated, "a token is needed");
}

internal sealed class GreeterService : Greeter.Server
{
    public override ValueTask<HelloReply> SayHello(HelloRequest request, ServerCall call) =>
        new(new HelloReply { Message = $"Hello, {request.Name}!" });
}
