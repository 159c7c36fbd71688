using System.CommandLine;
using System.Globalization;
using System.Net;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Weir.AspNetCore;
using Weir.Interop.Server;

const string TestData = "/usr/share/gocode/src/google.golang.org/grpc/testdata/";
var port = new Option<int>("--port") { Description = "Where to listen, on all addresses; 0 for any free port.", DefaultValueFactory = _ => 10000 };
var useTls = new Option<bool>("--use_tls") { Description = "Serve with TLS." };
var certificate = new Option<FileInfo>("--tls_cert_file")
{
    Description = "The server's certificate, PEM. Default: gRPC's own for tests, from Debian's golang-google-grpc-dev.",
    DefaultValueFactory = _ => new FileInfo(TestData + "server1.pem"),
};
var key = new Option<FileInfo>("--tls_key_file")
{
    Description = "Its private key, PEM. Default: as above.",
    DefaultValueFactory = _ => new FileInfo(TestData + "server1.key"),
};
port.Validators.Add(result =>
{
    if (result.Tokens is [var token] && int.TryParse(token.Value, CultureInfo.InvariantCulture, out var value) && value is < 0 or > ushort.MaxValue)
        result.AddError($"--port is {value}; it may be 0 to {ushort.MaxValue}.");
});
foreach (var file in new[] { certificate, key })
{
    file.Validators.Add(result =>
    {
        if (result.GetValue(useTls) && result.GetValue(file) is { Exists: false } missing)
            result.AddError($"{file.Name}: there is no file {missing.FullName}.");
    });
}

var command = new RootCommand("The server of gRPC's interop tests, on Weir.") { port, useTls, certificate, key };
command.SetAction(async (arguments, stop) =>
{
    var builder = WebApplication.CreateSlimBuilder();
    builder.Logging.SetMinimumLevel(LogLevel.Warning).AddFilter("Microsoft.Extensions.Hosting", LogLevel.None); // says no more than what is caught below
    builder.AddWeir();
    builder.Services.AddRpcHealth();
    builder.WebHost.UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.IPv6Any, arguments.GetValue(port), Listen));
    await using var app = builder.Build();
    app.MapRpc<TestServiceHandler>().MapRpcHealth().MapRpcReflection();
    try
    {
        await app.StartAsync(stop);
    }
    catch (IOException error) // the port is taken, or not ours to take
    {
        await Console.Error.WriteLineAsync($"--port: {error.Message}");
        return 1;
    }

    await Console.Out.WriteLineAsync($"listening {new Uri(app.Urls.Single()).Port}");
    await app.WaitForShutdownAsync(stop);
    return 0;

    void Listen(ListenOptions listen)
    {
        if (!arguments.GetValue(useTls))
            return;
        using var pem = X509Certificate2.CreateFromPemFile(arguments.GetRequiredValue(certificate).FullName, arguments.GetRequiredValue(key).FullName);
        listen.UseHttps(X509CertificateLoader.LoadPkcs12(pem.Export(X509ContentType.Pkcs12), null)).UseWeir();
    }
});
return await command.Parse(args).InvokeAsync();
