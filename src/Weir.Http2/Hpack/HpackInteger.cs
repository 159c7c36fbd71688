namespace Weir.Http2.Hpack;

/// <summary>The integers of RFC 7541 §5.1, as written.</summary>
internal static class HpackInteger
{
    /// <summary>Octets that the longest integer takes.</summary>
    public const int MaxOctets = 6;

    /// <summary>
    /// Writes <paramref name="value"/> (0 or more) with a prefix of <paramref name="prefixBits"/> bits, under the bits of
    /// <paramref name="pattern"/>, and returns the octets written.
    /// </summary>
    public static int Write(Span<byte> destination, byte pattern, int prefixBits, int value)
    {
        int prefixMax = (1 << prefixBits) - 1;
        if (value < prefixMax)
        {
            destination[0] = (byte)(pattern | value);
            return 1;
        }

        destination[0] = (byte)(pattern | prefixMax);
        int written = 1;
        for (value -= prefixMax; value >= 0x80; value >>= 7)
            destination[written++] = (byte)(value | 0x80);
        destination[written++] = (byte)value;
        return written;
    }
}
