// A handler ends a call with a status: a code, a message and, if it likes, trailers.
using Samples;
using Weir.AspNetCore;
using Weir.Rpc;

var builder = WebApplication.CreateSlimBuilder(args);
builder.WebHost.UseUrls("http://127.0.0.1:0"); // any free port
builder.Logging.ClearProviders();
builder.AddWeir();
await using var app = builder.Build();
app.MapRpc<AccountsService>();
await app.StartAsync();

await using var channel = RpcChannel.ForAddress(app.Urls.Single());
var client = new Accounts.Client(channel);
try
{
    await client.Withdraw(new WithdrawRequest { Account = "ada", Cents = 500 });
}
catch (RpcException error) when (error.StatusCode == StatusCode.FailedPrecondition)
{
    Console.WriteLine($"{error.Status.Detail}; there are {error.Trailers.GetValue("balance")} cents");
}

try
{
    await client.Withdraw(new WithdrawRequest());
}
catch (RpcException error)
{
    Console.WriteLine(error.StatusCode); // what the handler did not mean to say stays on the server
}

internal sealed class AccountsService : Accounts.Server
{
    public override ValueTask<WithdrawReply> Withdraw(WithdrawRequest request, ServerCall call)
    {
        if (request.Account.Length == 0)
            throw new InvalidOperationException("a secret of the server");
        var trailers = new Metadata();
        trailers.Add("balance", "300");
        throw new RpcException(new Status(StatusCode.FailedPrecondition, "not enough money"), trailers);
    }
}
