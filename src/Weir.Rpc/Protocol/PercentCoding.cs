using System.Globalization;
using System.Text;

namespace Weir.Rpc.Protocol;

/// <summary>The coding of grpc-message: UTF-8 in which every octet but printable ASCII, and '%' itself, is %XX (gRPC PROTOCOL-HTTP2, "Responses").
/// A blank at either end is %20 too: no field value may begin or end with one (RFC 9113 §8.2.1).</summary>
internal static class PercentCoding
{
    /// <summary>Encodes a text for the wire. Returns the text itself when nothing needs encoding.</summary>
    public static string Encode(string text)
    {
        if (!NeedsEncoding(text))
        {
            return text;
        }

        var octets = Encoding.UTF8.GetBytes(text);
        var encoded = new StringBuilder(octets.Length + 16);
        for (var i = 0; i < octets.Length; i++)
        {
            var octet = octets[i];
            if (IsLiteral((char)octet) && !(octet == ' ' && (i == 0 || i == octets.Length - 1)))
            {
                encoded.Append((char)octet);
            }
            else
            {
                encoded.Append('%').Append(octet.ToString("X2", CultureInfo.InvariantCulture));
            }
        }

        return encoded.ToString();
    }

    /// <summary>Decodes a text from the wire. Never fails: what is no valid %XX stays as it is, what is no valid UTF-8 becomes U+FFFD.</summary>
    public static string Decode(string value)
    {
        if (!value.Contains('%') && Ascii.IsValid(value))
        {
            return value;
        }

        var octets = new byte[value.Length];
        var count = 0;
        for (var i = 0; i < value.Length; i++)
        {
            if (value[i] == '%' && i + 2 < value.Length && char.IsAsciiHexDigit(value[i + 1]) && char.IsAsciiHexDigit(value[i + 2]))
            {
                octets[count++] = byte.Parse(value.AsSpan(i + 1, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
                i += 2;
            }
            else
            {
                octets[count++] = (byte)value[i]; // a char of a header value stands for one octet
            }
        }

        return Encoding.UTF8.GetString(octets, 0, count);
    }

    private static bool NeedsEncoding(string text)
    {
        foreach (var c in text)
        {
            if (!IsLiteral(c))
            {
                return true;
            }
        }

        return text.StartsWith(' ') || text.EndsWith(' ');
    }

    private static bool IsLiteral(char c) => c is >= ' ' and <= '~' and not '%';
}
