namespace Weir.Http2.Hpack;

/// <summary>
/// Reads strings in the Huffman code (RFC 7541 §5.2). One look-up in a table finds a code of up to eight bits, which is nearly all text;
/// a longer code is found by comparing with the last code of each length.
/// </summary>
internal static class HuffmanDecoder
{
    const int TableBits = 8;

    // By the next eight bits: symbol << 4 | code length, or 0 when the code is longer.
    static readonly ushort[] ShortCodes = BuildShortCodes();

    // Every symbol in the order of its code.
    static readonly ushort[] SymbolsInOrder = BuildSymbolsInOrder();

    // By length: the first value, with the code at the top of 32 bits, that is beyond all codes of this length.
    static readonly uint[] Limits = new uint[HuffmanCode.MaxBits];

    // By length: what to add to a code (modulo 2^32) to get its place in SymbolsInOrder.
    static readonly uint[] Offsets = new uint[HuffmanCode.MaxBits + 1];

    static HuffmanDecoder()
    {
        uint next = 0;
        uint place = 0;
        for (int bits = 1; bits <= HuffmanCode.MaxBits; bits++)
        {
            next <<= 1;
            uint count = (uint)HuffmanCode.Lengths.Count((byte)bits);
            Offsets[bits] = place - next;
            next += count;
            place += count;
            if (bits < HuffmanCode.MaxBits)
                Limits[bits] = next << (32 - bits);
        }
    }

    /// <summary>
    /// Decodes <paramref name="source"/> to the end, writes as many octets as <paramref name="destination"/> holds, and returns how many
    /// there are: with an empty destination it checks and measures.
    /// </summary>
    /// <exception cref="HpackException">The padding is wrong, or the string contains the end-of-string symbol.</exception>
    public static int Decode(ReadOnlySpan<byte> source, Span<char> destination)
    {
        ulong window = 0; // the next windowBits bits of the string at the top, zeros below
        int windowBits = 0;
        int written = 0;
        while (true)
        {
            while (windowBits <= 56 && !source.IsEmpty)
            {
                window |= (ulong)source[0] << (56 - windowBits);
                windowBits += 8;
                source = source[1..];
            }

            int entry = ShortCodes[(int)(window >> (64 - TableBits))];
            int length = entry & 0xf;
            int symbol = entry >> 4;
            if (length == 0)
                (symbol, length) = DecodeLong((uint)(window >> 32));
            if (length > windowBits)
                break;
            if (symbol == HuffmanCode.EndOfString)
                throw new HpackException("A Huffman string contains the end-of-string symbol.");

            if ((uint)written < (uint)destination.Length)
                destination[written] = (char)symbol;
            written++;
            window <<= length;
            windowBits -= length;
        }

        CheckPadding(window, windowBits);
        return written;
    }

    static (int Symbol, int Length) DecodeLong(uint window)
    {
        int length = TableBits + 1;
        while (length < HuffmanCode.MaxBits && window >= Limits[length])
            length++;
        return (SymbolsInOrder[(window >> (32 - length)) + Offsets[length]], length);
    }

    // RFC 7541 §5.2: up to seven bits, the beginning of the end-of-string symbol, which is all ones.
    static void CheckPadding(ulong window, int bits)
    {
        if (bits > 7)
            throw new HpackException($"A Huffman string ends in {bits} bits of padding; at most 7 are allowed.");
        if (window >> (64 - TableBits) != (0xffUL << (8 - bits) & 0xff))
            throw new HpackException("The padding of a Huffman string is not all ones.");
    }

    static ushort[] BuildShortCodes()
    {
        var table = new ushort[1 << TableBits];
        for (int symbol = 0; symbol < HuffmanCode.SymbolCount; symbol++)
        {
            int length = HuffmanCode.Lengths[symbol];
            if (length > TableBits)
                continue;
            int spare = TableBits - length;
            table.AsSpan((int)HuffmanCode.Codes[symbol] << spare, 1 << spare).Fill((ushort)(symbol << 4 | length));
        }

        return table;
    }

    static ushort[] BuildSymbolsInOrder()
    {
        var symbols = new ushort[HuffmanCode.SymbolCount];
        int place = 0;
        for (int bits = 1; bits <= HuffmanCode.MaxBits; bits++)
        {
            for (int symbol = 0; symbol < HuffmanCode.SymbolCount; symbol++)
            {
                if (HuffmanCode.Lengths[symbol] == bits)
                    symbols[place++] = (ushort)symbol;
            }
        }

        return symbols;
    }
}
