using Weir.Rpc;

namespace Weir.AspNetCore.Tests;

/// <summary>Tells a client who it is: its address, then the subjects of its certificates.</summary>
internal sealed class WhoService : IRpcService
{
    private static readonly Method<string, string> Method = new(MethodKind.Unary, "test.Who", "AmI", TextMarshaller.Instance, TextMarshaller.Instance);

    public static void Bind(ServiceBinder binder) => binder.Unary<WhoService, string, string>(
        Method,
        (_, _, call) => ValueTask.FromResult(string.Join(" < ", [call.Peer.Split(':')[0], .. call.ClientIdentity?.Chain.Select(certificate => certificate.Subject) ?? []])));

    public static async Task<string> AskAsync(RpcChannel channel) =>
        await channel.Unary(Method, "", new CallOptions { Timeout = TimeSpan.FromSeconds(60) }, TestContext.Current.CancellationToken);
}
