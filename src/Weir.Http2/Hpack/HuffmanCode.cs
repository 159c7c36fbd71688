namespace Weir.Http2.Hpack;

/// <summary>
/// The Huffman code of RFC 7541 Appendix B. It is canonical: the codes of one length count up in the order of their symbols, and each
/// length goes on where the shorter one ended. So the lengths say everything, and the codes are computed from them.
/// </summary>
internal static class HuffmanCode
{
    public const int SymbolCount = 257;

    /// <summary>The symbol that must not appear in a string (RFC 7541 §5.2).</summary>
    public const int EndOfString = 256;

    /// <summary>Length of the longest code, in bits.</summary>
    public const int MaxBits = 30;

    /// <summary>Length of each symbol's code, in bits.</summary>
    public static ReadOnlySpan<byte> Lengths =>
    [
        13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, // 0x00
        28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28, // 0x10
        6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, // space to /
        5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10, // 0 to ?
        13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, // @ to O
        7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6, // P to _
        15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, // ` to o
        6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28, // p to 0x7f
        20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23, // 0x80
        24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24, // 0x90
        22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23, // 0xa0
        21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23, // 0xb0
        26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25, // 0xc0
        19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27, // 0xd0
        20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23, // 0xe0
        26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26, // 0xf0
        30, // end of string
    ];

    /// <summary>The code of each symbol, in the low bits.</summary>
    public static readonly uint[] Codes = BuildCodes();

    static uint[] BuildCodes()
    {
        var codes = new uint[SymbolCount];
        uint next = 0;
        for (int bits = 1; bits <= MaxBits; bits++, next <<= 1)
        {
            for (int symbol = 0; symbol < SymbolCount; symbol++)
            {
                if (Lengths[symbol] == bits)
                    codes[symbol] = next++;
            }
        }

        return codes;
    }
}
