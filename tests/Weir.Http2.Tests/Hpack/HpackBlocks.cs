using System.Buffers;
using System.Text;
using Weir.Http2.Hpack;

namespace Weir.Http2.Tests.Hpack;

/// <summary>Short ways to write blocks and field lists in the HPACK tests.</summary>
internal static class HpackBlocks
{
    /// <summary>Octets from hexadecimal digits; spaces and line ends are skipped.</summary>
    public static byte[] Hex(string digits) => Convert.FromHexString(string.Concat(digits.Where(c => !char.IsWhiteSpace(c))));

    /// <summary>Fields from lines of "name: value".</summary>
    public static List<HeaderField> Fields(params string[] lines) =>
        lines.Select(line =>
        {
            int colon = line.IndexOf(':', 1);
            return new HeaderField(line[..colon], line[(colon + 1)..].TrimStart());
        }).ToList();

    public static byte[] Encode(this HpackEncoder encoder, params IEnumerable<HeaderField> fields)
    {
        var output = new ArrayBufferWriter<byte>();
        encoder.Encode(fields.ToArray(), output);
        return output.WrittenSpan.ToArray();
    }

    public static List<HeaderField> Decode(this HpackDecoder decoder, params byte[] block)
    {
        var fields = new List<HeaderField>();
        Assert.True(decoder.Decode(block, fields), "the header list was reported as too large");
        return fields;
    }

    public static List<HeaderField> Decode(this HpackDecoder decoder, string hex) => decoder.Decode(Hex(hex));

    /// <summary>
    /// A literal field without Huffman: <paramref name="pattern"/> 0x40 is indexed, 0x00 not indexed, 0x10 never indexed.
    /// </summary>
    public static byte[] Literal(byte pattern, string name, string value) =>
        [pattern, .. RawString(name), .. RawString(value)];

    static byte[] RawString(string text)
    {
        Span<byte> length = stackalloc byte[HpackInteger.MaxOctets];
        int written = HpackInteger.Write(length, 0, 7, text.Length);
        return [.. length[..written], .. Encoding.Latin1.GetBytes(text)];
    }
}
