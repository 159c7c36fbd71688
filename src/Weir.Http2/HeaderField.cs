namespace Weir.Http2;

/// <summary>One field of a header block: a lower-case name (pseudo-headers begin with ':') and its value.</summary>
/// <param name="Name">The name as on the wire, lower case.</param>
/// <param name="Value">The value; each char stands for one octet (0-255).</param>
/// <param name="NeverIndexed">Whether the value is sensitive: it is sent as a never-indexed literal and kept out of every table (RFC 7541 §7.1.3).</param>
public readonly record struct HeaderField(string Name, string Value, bool NeverIndexed = false)
{
    /// <summary>The size that RFC 7541 §4.1 counts for this field: name + value + 32 octets.</summary>
    public int Size => Name.Length + Value.Length + 32;
}
