using System.Buffers;
using System.Text;
using Weir.Rpc;

namespace Weir.AspNetCore.Tests;

/// <summary>Tells a client who it is: its address, then the subjects of its certificates.</summary>
internal sealed class WhoService : IRpcService
{
    private static readonly Method<string, string> Method = new(MethodKind.Unary, "test.Who", "AmI", Text.Instance, Text.Instance);

    public static void Bind(ServiceBinder binder) => binder.Unary<WhoService, string, string>(
        Method,
        (_, _, call) => ValueTask.FromResult(string.Join(" < ", [call.Peer.Split(':')[0], .. call.ClientIdentity?.Chain.Select(certificate => certificate.Subject) ?? []])));

    public static async Task<string> AskAsync(RpcChannel channel) =>
        await channel.Unary(Method, "", new CallOptions { Timeout = TimeSpan.FromSeconds(60) }, TestContext.Current.CancellationToken);

    private sealed class Text : Marshaller<string>
    {
        public static readonly Text Instance = new();

        public override int GetSize(string message) => Encoding.UTF8.GetByteCount(message);

        public override void Write(string message, Span<byte> destination) => Encoding.UTF8.GetBytes(message, destination);

        public override string Read(ReadOnlySpan<byte> payload) => Encoding.UTF8.GetString(payload);

        public override string Read(in ReadOnlySequence<byte> payload) => Encoding.UTF8.GetString(payload);
    }
}
