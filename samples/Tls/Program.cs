// TLS with a certificate for each name that clients ask for (SNI), clients that show who they are (mTLS), and a renewal without a restart.
using System.Net;
using System.Net.Security;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Samples;
using Weir.AspNetCore;
using Weir.Rpc;

using var authority = new Authority();
authority.Issue("blue.pem", "blue.test");
authority.Issue("green.pem", "green.test");
authority.Issue("client.pem", "Ada");

var builder = WebApplication.CreateSlimBuilder(args);
builder.Logging.ClearProviders();
builder.AddWeir();
var blue = new CertificateFile(authority.PathOf("blue.pem")); // reads its file again when somebody has renewed it
var green = new CertificateFile(authority.PathOf("green.pem"));
builder.WebHost.UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen => listen.UseHttps(https =>
{
    https.ServerCertificateSelector = (_, name) => name == "green.test" ? green.Current : blue.Current;
    https.ClientCertificateMode = ClientCertificateMode.RequireCertificate;
    https.ClientCertificateValidation = (certificate, chain, _) => authority.Accepts(certificate, chain);
}).UseWeir()));
await using var app = builder.Build();
app.MapRpc<GreeterService>();
await app.StartAsync();

await CallAsync("blue.test");
await CallAsync("green.test");
authority.Issue("client.pem", "Grace");
authority.Issue("green.pem", "green.test");
await Task.Delay(TimeSpan.FromSeconds(1.1)); // the files are looked at once a second
await CallAsync("green.test");

async Task CallAsync(string name)
{
    var file = new CertificateFile(authority.PathOf("client.pem"));
    var served = "";
    var options = new RpcChannelOptions
    {
        Tls = new SslClientAuthenticationOptions
        {
            TargetHost = name,
            CertificateChainPolicy = authority.Policy, // without it: the system's authorities
            LocalCertificateSelectionCallback = (_, _, _, _, _) => file.Current,
            RemoteCertificateValidationCallback = (_, certificate, _, errors) =>
            {
                served = $"{certificate!.Subject}, number {Authority.NumberOf(certificate)}";
                return errors == SslPolicyErrors.None;
            },
        },
    };
    await using var channel = RpcChannel.ForAddress(app.Urls.Single(), options);
    var reply = await new Greeter.Client(channel).SayHello(new HelloRequest { Name = "you" });
    Console.WriteLine($"{reply.Message} (served with {served})");
}

internal sealed class GreeterService : Greeter.Server
{
    public override ValueTask<HelloReply> SayHello(HelloRequest request, ServerCall call) =>
        new(new HelloReply { Message = $"Hello, {request.Name} with {call.ClientIdentity?.Certificate.Subject}!" });
}
