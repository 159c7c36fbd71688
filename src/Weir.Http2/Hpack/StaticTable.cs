using System.Collections.Frozen;

namespace Weir.Http2.Hpack;

/// <summary>The static table of RFC 7541 Appendix A; its first index is 1.</summary>
internal static class StaticTable
{
    static readonly HeaderField[] Fields =
    [
        new(":authority", ""),
        new(":method", "GET"),
        new(":method", "POST"),
        new(":path", "/"),
        new(":path", "/index.html"),
        new(":scheme", "http"),
        new(":scheme", "https"),
        new(":status", "200"),
        new(":status", "204"),
        new(":status", "206"),
        new(":status", "304"),
        new(":status", "400"),
        new(":status", "404"),
        new(":status", "500"),
        new("accept-charset", ""),
        new("accept-encoding", "gzip, deflate"),
        new("accept-language", ""),
        new("accept-ranges", ""),
        new("accept", ""),
        new("access-control-allow-origin", ""),
        new("age", ""),
        new("allow", ""),
        new("authorization", ""),
        new("cache-control", ""),
        new("content-disposition", ""),
        new("content-encoding", ""),
        new("content-language", ""),
        new("content-length", ""),
        new("content-location", ""),
        new("content-range", ""),
        new("content-type", ""),
        new("cookie", ""),
        new("date", ""),
        new("etag", ""),
        new("expect", ""),
        new("expires", ""),
        new("from", ""),
        new("host", ""),
        new("if-match", ""),
        new("if-modified-since", ""),
        new("if-none-match", ""),
        new("if-range", ""),
        new("if-unmodified-since", ""),
        new("last-modified", ""),
        new("link", ""),
        new("location", ""),
        new("max-forwards", ""),
        new("proxy-authenticate", ""),
        new("proxy-authorization", ""),
        new("range", ""),
        new("referer", ""),
        new("refresh", ""),
        new("retry-after", ""),
        new("server", ""),
        new("set-cookie", ""),
        new("strict-transport-security", ""),
        new("transfer-encoding", ""),
        new("user-agent", ""),
        new("vary", ""),
        new("via", ""),
        new("www-authenticate", ""),
    ];

    static readonly FrozenDictionary<string, int> FirstIndexByName = BuildFirstIndexByName();

    /// <summary>The last index, 61; the dynamic table begins after it.</summary>
    public static int Count => Fields.Length;

    /// <summary>The field at <paramref name="index"/>, from 1 to <see cref="Count"/>.</summary>
    public static ref readonly HeaderField Get(int index) => ref Fields[index - 1];

    /// <summary>The first index whose field has this name, or 0.</summary>
    public static int FindName(string name) => FirstIndexByName.TryGetValue(name, out int index) ? index : 0;

    /// <summary>
    /// The index of this name and value, or 0; <paramref name="nameIndex"/> is what <see cref="FindName"/> gave (fields of one name are
    /// neighbours).
    /// </summary>
    public static int FindValue(int nameIndex, string name, string value)
    {
        if (nameIndex == 0)
            return 0;
        for (int index = nameIndex; index <= Count && Get(index).Name == name; index++)
        {
            if (Get(index).Value == value)
                return index;
        }

        return 0;
    }

    static FrozenDictionary<string, int> BuildFirstIndexByName()
    {
        var indices = new Dictionary<string, int>();
        for (int index = 1; index <= Count; index++)
            indices.TryAdd(Get(index).Name, index);
        return indices.ToFrozenDictionary(StringComparer.Ordinal);
    }
}
