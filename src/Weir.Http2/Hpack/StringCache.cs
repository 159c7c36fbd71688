namespace Weir.Http2.Hpack;

/// <summary>
/// Gives back the string of an earlier literal with the same octets, so that names and values that a peer sends as literals in every block
/// (a timeout, a name that it does not index) are not allocated each time. It has a fixed number of slots, a newcomer takes the slot of
/// another string, and long strings are not kept: at most 64 strings of 64 chars, whatever the peer sends. Not thread-safe.
/// </summary>
internal sealed class StringCache
{
    const int SlotCount = 64;
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
        ref string? slot = ref _slots[string.GetHashCode(chars) & (SlotCount - 1)];
        if (slot is null || !chars.SequenceEqual(slot))
            slot = chars.ToString();
        return slot;
    }
}
