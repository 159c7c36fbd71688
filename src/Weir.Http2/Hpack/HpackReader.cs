namespace Weir.Http2.Hpack;

/// <summary>Reads the primitive types of RFC 7541 §5 from a header block, front to back.</summary>
internal ref struct HpackReader(ReadOnlySpan<byte> block)
{
    // Four octets after the prefix hold 28 bits: more than any table index or string length that can be meant.
    const int MaxContinuationOctets = 4;

    ReadOnlySpan<byte> _rest = block;

    public readonly bool AtEnd => _rest.IsEmpty;

    /// <summary>The octet that a representation begins with; it says the kind. Only while not <see cref="AtEnd"/>.</summary>
    public readonly byte Next => _rest[0];

    /// <summary>Reads an integer (RFC 7541 §5.1) whose prefix is <paramref name="prefixBits"/> bits long.</summary>
    /// <exception cref="HpackException">The block ends inside the integer, or the integer is longer than 28 bits after its
    /// prefix.</exception>
    public int ReadInteger(int prefixBits)
    {
        int prefixMax = (1 << prefixBits) - 1;
        int value = ReadOctet() & prefixMax;
        if (value < prefixMax)
            return value;

        for (int i = 0; i < MaxContinuationOctets; i++)
        {
            byte octet = ReadOctet();
            value += (octet & 0x7f) << (7 * i);
            if (octet < 0x80)
                return value;
        }

        throw new HpackException($"An integer has more than {MaxContinuationOctets} octets after its prefix.");
    }

    /// <summary>Reads a string literal (RFC 7541 §5.2) without decoding it into memory.</summary>
    /// <exception cref="HpackException">The block ends inside the literal, or its Huffman code is not valid.</exception>
    public HpackLiteral ReadLiteral()
    {
        if (AtEnd)
            throw new HpackException("The header block ends where a string was expected.");
        bool isHuffman = (Next & 0x80) != 0;
        int length = ReadInteger(7);
        if (length > _rest.Length)
            throw new HpackException($"A string of {length} octets is announced, but the header block has {_rest.Length} octets left.");

        var literal = new HpackLiteral(_rest[..length], isHuffman);
        _rest = _rest[length..];
        return literal;
    }

    byte ReadOctet()
    {
        if (AtEnd)
            throw new HpackException("The header block ends inside an integer.");
        byte octet = _rest[0];
        _rest = _rest[1..];
        return octet;
    }
}
