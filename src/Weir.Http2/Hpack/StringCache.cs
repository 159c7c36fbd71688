namespace Weir.Http2.Hpack;

/// <summary>
/// Gives back the string of an earlier literal with the same octets, so that names and values that a peer sends as literals in every block
/// (a timeout, a name that it does not index) are not allocated each time. It has a fixed number of slots, two for each hash; a newcomer takes the place of
/// the older of two, and long strings are not kept: at most 64 strings of 64 chars, whatever the peer sends. Not thread-safe.
/// </summary>
/// <remarks>The hash is the same in every process: a peer that makes strings collide only loses the cache.</remarks>
internal sealed class StringCache
{
    const int SlotCount = 64;
    const uint HashBasis = 2166136261; // FNV-1a
    const uint HashPrime = 16777619;
    const int MaxLength = 64;

    string?[]? _slots;

    public string GetOrCreate(in HpackLiteral literal)
    {
        if (literal.Length > MaxLength)
            return literal.ToString();

        Span<char> chars = stackalloc char[MaxLength];
        chars = chars[..literal.Length];
        literal.CopyTo(chars);

        _slots ??= new string?[SlotCount];
        Span<string?> pair = _slots.AsSpan((int)(Hash(chars) % (SlotCount / 2)) * 2, 2);
        if (pair[0] is { } newer && chars.SequenceEqual(newer))
            return newer;
        string found = pair[1] is { } older && chars.SequenceEqual(older) ? older : chars.ToString();
        (pair[0], pair[1]) = (found, pair[0]);
        return found;
    }

    static uint Hash(ReadOnlySpan<char> chars)
    {
        uint hash = HashBasis;
        foreach (char c in chars)
            hash = (hash ^ c) * HashPrime;
        return hash ^ (hash >> 16);
    }
}
