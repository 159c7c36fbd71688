using System.Text;

namespace Weir.Http2.Hpack;

/// <summary>A string literal that still lies in the header block: checked and measured, but not decoded into memory.</summary>
internal readonly ref struct HpackLiteral
{
    readonly ReadOnlySpan<byte> _octets;
    readonly bool _isHuffman;

    /// <exception cref="HpackException">The Huffman code is not valid.</exception>
    public HpackLiteral(ReadOnlySpan<byte> octets, bool isHuffman)
    {
        _octets = octets;
        _isHuffman = isHuffman;
        Length = isHuffman ? HuffmanDecoder.Decode(octets, []) : octets.Length;
    }

    /// <summary>Length of the decoded string, in octets.</summary>
    public int Length { get; }

    /// <summary>Decodes into <paramref name="destination"/>, which holds at least <see cref="Length"/> chars.</summary>
    public void CopyTo(Span<char> destination)
    {
        if (_isHuffman)
            HuffmanDecoder.Decode(_octets, destination);
        else
            Encoding.Latin1.GetChars(_octets, destination);
    }

    public override string ToString() => string.Create(Length, this, static (chars, literal) => literal.CopyTo(chars));
}
