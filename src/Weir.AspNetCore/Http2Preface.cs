using System.Buffers;

namespace Weir.AspNetCore;

/// <summary>What the first octets of a connection say about its protocol.</summary>
internal enum PrefaceMatch
{
    /// <summary>Everything so far is the beginning of the preface; more octets decide.</summary>
    Partial,

    /// <summary>The whole preface is there.</summary>
    Http2,

    /// <summary>Some octet differs: HTTP/1.1, TLS or something else.</summary>
    Other,
}

/// <summary>The client's connection preface (RFC 9113 §3.4).</summary>
internal static class Http2Preface
{
    public static ReadOnlySpan<byte> Octets => "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8;

    /// <summary>Compares the beginning of a connection with the preface; decides on the first octet that differs.</summary>
    public static PrefaceMatch Match(in ReadOnlySequence<byte> received)
    {
        var left = Octets;
        foreach (var piece in received)
        {
            var length = Math.Min(piece.Length, left.Length);
            if (!piece.Span[..length].SequenceEqual(left[..length]))
                return PrefaceMatch.Other;
            left = left[length..];
            if (left.IsEmpty)
                return PrefaceMatch.Http2;
        }

        return PrefaceMatch.Partial;
    }
}
