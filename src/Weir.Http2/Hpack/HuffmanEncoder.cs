using System.Buffers.Binary;

namespace Weir.Http2.Hpack;

/// <summary>Writes strings in the Huffman code (RFC 7541 §5.2). Every char of a string must be an octet (0-255).</summary>
internal static class HuffmanEncoder
{
    /// <summary>Octets that <see cref="Encode"/> will write for <paramref name="text"/>.</summary>
    public static int GetLength(ReadOnlySpan<char> text)
    {
        ReadOnlySpan<byte> lengths = HuffmanCode.Lengths;
        long bits = 0;
        foreach (char c in text)
            bits += lengths[c];
        return checked((int)((bits + 7) / 8));
    }

    /// <summary>Writes <paramref name="text"/>, padded with ones to a whole octet, and returns the octets written.</summary>
    public static int Encode(ReadOnlySpan<char> text, Span<byte> destination)
    {
        ReadOnlySpan<byte> lengths = HuffmanCode.Lengths;
        uint[] codes = HuffmanCode.Codes;
        ulong pending = 0; // the low pendingBits of it are still to be written; fewer than 32 between two symbols
        int pendingBits = 0;
        int written = 0;
        foreach (char c in text)
        {
            int length = lengths[c];
            pending = (pending << length) | codes[c];
            pendingBits += length;
            if (pendingBits >= 32)
            {
                pendingBits -= 32;
                BinaryPrimitives.WriteUInt32BigEndian(destination[written..], (uint)(pending >> pendingBits));
                written += 4;
            }
        }

        int padding = -pendingBits & 7;
        pending = (pending << padding) | ((1UL << padding) - 1);
        for (pendingBits += padding; pendingBits > 0; written++)
        {
            pendingBits -= 8;
            destination[written] = (byte)(pending >> pendingBits);
        }

        return written;
    }
}
