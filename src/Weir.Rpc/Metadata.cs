using System.Collections;
using Weir.Rpc.Protocol;

namespace Weir.Rpc;

/// <summary>Headers or trailers of a call, in order; a key may occur more than once. Keys ending in "-bin" hold bytes, all others ASCII text.
/// Not safe for use by several threads while it changes.</summary>
/// <remarks>https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md, "Custom-Metadata".</remarks>
public sealed class Metadata : IReadOnlyCollection<Metadata.Entry>
{
    private Entry[] _entries = [];

    /// <summary>One key with its value.</summary>
    /// <param name="Key">The key, lower case.</param>
    /// <param name="Value">The text; null for a "-bin" key.</param>
    /// <param name="Bytes">The bytes of a "-bin" key; else empty.</param>
    public sealed record Entry(string Key, string? Value, ReadOnlyMemory<byte> Bytes = default)
    {
        /// <summary>Whether the key ends in "-bin".</summary>
        public bool IsBinary => Key.EndsWith(GrpcNames.BinarySuffix, StringComparison.Ordinal);
    }

    /// <summary>How many entries there are.</summary>
    public int Count { get; private set; }

    /// <summary>The entry at a position, from 0.</summary>
    internal Entry this[int index] => _entries[index];

    /// <summary>Adds a text entry. The key is lower-cased and checked.</summary>
    /// <param name="key">Letters, digits, '_', '-' and '.'; not one that gRPC or HTTP uses itself ("grpc-" anything, "content-type", "te", "user-agent", …).</param>
    /// <param name="value">Printable ASCII: U+0020 to U+007E. Blanks at its ends are left out: HTTP has none there (RFC 9113 §8.2.1).</param>
    /// <exception cref="ArgumentException">The key or the value is not allowed, or the key ends in "-bin".</exception>
    public void Add(string key, string value)
    {
        ArgumentNullException.ThrowIfNull(value);
        var name = CheckKey(key);
        if (name.EndsWith(GrpcNames.BinarySuffix, StringComparison.Ordinal))
        {
            throw new ArgumentException($"The key \"{key}\" ends in \"-bin\": its value is bytes.", nameof(key));
        }

        for (var i = 0; i < value.Length; i++)
        {
            if (value[i] is < ' ' or > '~')
            {
                throw new ArgumentException($"The value of \"{key}\" has U+{(int)value[i]:X4} at {i}; printable ASCII (U+0020 to U+007E) is allowed. Use a \"-bin\" key for bytes.", nameof(value));
            }
        }

        AddReceived(new Entry(name, value.Trim(' ')));
    }

    /// <summary>Adds a binary entry; the key must end in "-bin". The bytes are not copied: leave them as they are until the metadata is sent.</summary>
    /// <exception cref="ArgumentException">The key is not allowed or does not end in "-bin".</exception>
    public void Add(string key, ReadOnlyMemory<byte> value)
    {
        var name = CheckKey(key);
        if (!name.EndsWith(GrpcNames.BinarySuffix, StringComparison.Ordinal))
        {
            throw new ArgumentException($"The key \"{key}\" does not end in \"-bin\": its value is text.", nameof(key));
        }

        AddReceived(new Entry(name, null, value));
    }

    /// <summary>The last text value of a key, or null.</summary>
    public string? GetValue(string key) => FindLast(key)?.Value;

    /// <summary>The last binary value of a key, or null.</summary>
    public ReadOnlyMemory<byte>? GetBytes(string key) => FindLast(key) is { IsBinary: true } entry ? (ReadOnlyMemory<byte>?)entry.Bytes : null;

    /// <summary>Takes every entry of a key out.</summary>
    /// <returns>How many there were.</returns>
    public int Remove(string key)
    {
        ArgumentNullException.ThrowIfNull(key);
        var kept = 0;
        for (var i = 0; i < Count; i++)
        {
            if (!string.Equals(_entries[i].Key, key, StringComparison.OrdinalIgnoreCase))
            {
                _entries[kept++] = _entries[i];
            }
        }

        var removed = Count - kept;
        Array.Clear(_entries, kept, removed);
        Count = kept;
        return removed;
    }

    /// <summary>Every entry of a key, in order.</summary>
    public IEnumerable<Entry> GetAll(string key)
    {
        ArgumentNullException.ThrowIfNull(key);
        return this.Where(entry => string.Equals(entry.Key, key, StringComparison.OrdinalIgnoreCase));
    }

    /// <inheritdoc/>
    public IEnumerator<Entry> GetEnumerator()
    {
        for (var i = 0; i < Count; i++)
        {
            yield return _entries[i];
        }
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <summary>Adds an entry as it came from the peer, or one that was checked.</summary>
    internal void AddReceived(Entry entry)
    {
        if (Count == _entries.Length)
        {
            Array.Resize(ref _entries, Count == 0 ? 2 : Count * 2);
        }

        _entries[Count++] = entry;
    }

    /// <summary>The same entries in an object of its own; the bytes of binary entries are shared.</summary>
    internal static Metadata Copy(Metadata? source)
    {
        var copy = new Metadata();
        for (var i = 0; i < source?.Count; i++)
        {
            copy.AddReceived(source[i]);
        }

        return copy;
    }

    private Entry? FindLast(string key)
    {
        ArgumentNullException.ThrowIfNull(key);
        for (var i = Count - 1; i >= 0; i--)
        {
            if (string.Equals(_entries[i].Key, key, StringComparison.OrdinalIgnoreCase))
            {
                return _entries[i];
            }
        }

        return null;
    }

    private static string CheckKey(string key)
    {
        ArgumentException.ThrowIfNullOrEmpty(key);
        var name = key.ToLowerInvariant();
        foreach (var c in name)
        {
            if (!(char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c is '_' or '-' or '.'))
            {
                throw new ArgumentException($"The key \"{key}\" has U+{(int)c:X4}; letters, digits, '_', '-' and '.' are allowed.", nameof(key));
            }
        }

        if (GrpcNames.IsReservedForSending(name))
        {
            throw new ArgumentException($"The key \"{key}\" is reserved for gRPC or HTTP.", nameof(key));
        }

        return name;
    }
}
