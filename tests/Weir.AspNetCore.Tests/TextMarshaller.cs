using System.Buffers;
using System.Text;
using Weir.Rpc;

namespace Weir.AspNetCore.Tests;

/// <summary>Messages that are texts, as UTF-8.</summary>
internal sealed class TextMarshaller : Marshaller<string>
{
    public static readonly TextMarshaller Instance = new();

    public override int GetSize(string message) => Encoding.UTF8.GetByteCount(message);

    public override void Write(string message, Span<byte> destination) => Encoding.UTF8.GetBytes(message, destination);

    public override string Read(ReadOnlySpan<byte> payload) => Encoding.UTF8.GetString(payload);

    public override string Read(in ReadOnlySequence<byte> payload) => Encoding.UTF8.GetString(payload);
}
