namespace Weir.Http2;

/// <summary>What makes a header block malformed (RFC 9113 §8.2, §8.3): each check answers null, or what is wrong.</summary>
internal static class HeaderRules
{
    public static string? CheckRequest(ReadOnlySpan<HeaderField> fields)
    {
        bool method = false, scheme = false, path = false, authority = false, connect = false, regular = false;
        foreach (var field in fields)
        {
            if (!field.Name.StartsWith(':'))
            {
                regular = true;
                if (CheckRegular(field) is { } wrong)
                {
                    return wrong;
                }

                continue;
            }

            if ((CheckValue(field) ?? CheckBlanks(field)) is { } wrongValue)
            {
                return wrongValue;
            }

            ref var seen = ref authority;
            switch (field.Name)
            {
                case ":method":
                    seen = ref method;
                    connect = field.Value == "CONNECT";
                    break;
                case ":scheme":
                    seen = ref scheme;
                    break;
                case ":path":
                    seen = ref path;
                    if (field.Value.Length == 0)
                    {
                        return ":path is empty";
                    }

                    break;
                case ":authority":
                    break;
                default:
                    return $"{field.Name} is no pseudo-header of a request";
            }

            if (regular || seen)
            {
                return regular ? $"{field.Name} comes after a regular field" : $"{field.Name} comes twice";
            }

            seen = true;
        }

        if (connect)
        {
            return scheme || path || !authority ? "CONNECT takes :authority and neither :scheme nor :path" : null;
        }

        return method && scheme && path ? null : "a request needs :method, :scheme and :path";
    }

    /// <summary>Checks a response's headers; <paramref name="status"/> is its :status when nothing is wrong.</summary>
    public static string? CheckResponse(ReadOnlySpan<HeaderField> fields, out int status)
    {
        status = 0;
        var regular = false;
        foreach (var field in fields)
        {
            if (!field.Name.StartsWith(':'))
            {
                regular = true;
                if (CheckRegular(field) is { } wrong)
                {
                    return wrong;
                }

                continue;
            }

            if (field.Name != ":status")
            {
                return $"{field.Name} is no pseudo-header of a response";
            }

            if (regular || status != 0)
            {
                return regular ? ":status comes after a regular field" : ":status comes twice";
            }

            if (field.Value.Length != 3 || !int.TryParse(field.Value, System.Globalization.NumberStyles.None, null, out status) || status < 100)
            {
                return $":status is '{field.Value}'";
            }
        }

        return status == 0 ? "a response needs :status" : null;
    }

    public static string? CheckTrailers(ReadOnlySpan<HeaderField> fields)
    {
        foreach (var field in fields)
        {
            var wrong = field.Name.StartsWith(':') ? $"{field.Name} is in the trailers" : CheckRegular(field);
            if (wrong is not null)
            {
                return wrong;
            }
        }

        return null;
    }

    /// <summary>Finds what content-length promises: <paramref name="length"/> in octets, -1 without such a field (§8.1.1).</summary>
    public static string? CheckContentLength(ReadOnlySpan<HeaderField> fields, out long length)
    {
        length = -1;
        foreach (var field in fields)
        {
            if (field.Name != "content-length")
            {
                continue;
            }

            if (!long.TryParse(field.Value, System.Globalization.NumberStyles.None, null, out var value) || (length >= 0 && length != value))
            {
                return length >= 0 ? "content-length comes twice and differs" : $"content-length is '{field.Value}'";
            }

            length = value;
        }

        return null;
    }

    private static string? CheckRegular(in HeaderField field)
    {
        if (field.Name.Length == 0)
        {
            return "a field has no name";
        }

        foreach (var c in field.Name)
        {
            // §8.2.1: no upper case, no controls or blanks, no colon, nothing above ASCII.
            if (c is <= ' ' or (>= 'A' and <= 'Z') or ':' or >= (char)0x7f)
            {
                return $"the field name '{field.Name}' has the character 0x{(int)c:x2}";
            }
        }

        if (CheckValue(field) is { } wrong)
        {
            return wrong;
        }

        // §8.2.2: fields of HTTP/1.1's connection.
        return field.Name switch
        {
            "connection" or "proxy-connection" or "keep-alive" or "transfer-encoding" or "upgrade" => $"{field.Name} belongs to HTTP/1.1",
            "te" when field.Value != "trailers" => $"te is '{field.Value}'; only 'trailers' may be sent",
            _ => null,
        };
    }

    // §8.2.1, of regular and pseudo-header fields.
    private static string? CheckValue(in HeaderField field) => field.Value.AsSpan().IndexOfAny('\0', '\r', '\n') >= 0
        ? $"the value of {field.Name} has a line break or NUL"
        : null;

    // §8.2.1 forbids blanks at the ends of every value, because they mean nothing in HTTP/1.1, to which an intermediary may translate them. At an endpoint
    // they do no harm, and gRPC's own grammar has them: a grpc-message whose text ends with a blank is sent so by grpc-go and others (PROTOCOL-HTTP2,
    // "Status-Message": unescaped are %x20-%x24 / %x26-%x7E). Resetting the stream would replace the status by an error of ours. So only the fields
    // that control HTTP itself are held to it.
    private static string? CheckBlanks(in HeaderField field) =>
        field.Value.Length > 0 && (field.Value[0] is ' ' or '\t' || field.Value[^1] is ' ' or '\t')
            ? $"the value of {field.Name} begins or ends with a blank"
            : null;
}
