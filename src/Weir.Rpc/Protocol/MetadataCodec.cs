using Weir.Http2;

namespace Weir.Rpc.Protocol;

/// <summary>Metadata as header fields and back (gRPC PROTOCOL-HTTP2, "Custom-Metadata").</summary>
internal static class MetadataCodec
{
    /// <summary>Appends every entry; binary values as base64 without padding.</summary>
    public static void Write(Metadata? metadata, ref HeaderList headers)
    {
        if (metadata is null)
        {
            return;
        }

        for (var i = 0; i < metadata.Count; i++)
        {
            var entry = metadata[i];
            var value = entry.IsBinary ? Convert.ToBase64String(entry.Bytes.Span).TrimEnd('=') : entry.Value!;
            headers.Add(new HeaderField(entry.Key, value, GrpcNames.IsSensitive(entry.Key)));
        }
    }

    /// <summary>Takes one received field that is not the protocol's own. A binary value may be padded or not, and several may be joined by commas.</summary>
    /// <returns>False when a "-bin" value is not base64.</returns>
    public static bool TryRead(in HeaderField field, ref Metadata? metadata)
    {
        metadata ??= new Metadata();
        if (!field.Name.EndsWith(GrpcNames.BinarySuffix, StringComparison.Ordinal))
        {
            metadata.AddReceived(new Metadata.Entry(field.Name, TrimBlanks(field.Value)));
            return true;
        }

        foreach (var part in field.Value.AsSpan().Split(','))
        {
            if (!TryDecode(field.Value.AsSpan(part).Trim(), out var bytes))
            {
                return false;
            }

            metadata.AddReceived(new Metadata.Entry(field.Name, null, bytes));
        }

        return true;
    }

    /// <summary>A peer may send blanks at the ends, which mean nothing there; without them the value may be sent on (see Metadata.Add).</summary>
    private static string TrimBlanks(string value)
    {
        var trimmed = value.AsSpan().Trim(" \t");
        return trimmed.Length == value.Length ? value : trimmed.ToString();
    }

    private static bool TryDecode(ReadOnlySpan<char> text, out byte[] bytes)
    {
        text = text.TrimEnd('=');
        bytes = [];
        var padded = text.Length + ((4 - (text.Length % 4)) % 4);
        Span<char> buffer = padded <= 512 ? stackalloc char[512] : new char[padded];
        text.CopyTo(buffer);
        buffer[text.Length..padded].Fill('=');
        var decoded = new byte[padded / 4 * 3];
        if (!Convert.TryFromBase64Chars(buffer[..padded], decoded, out var count))
        {
            return false;
        }

        bytes = count == decoded.Length ? decoded : decoded[..count];
        return true;
    }
}
