namespace Weir.Http2.Hpack;

/// <summary>Decides which fields an encoder puts into its table.</summary>
internal static class IndexingPolicy
{
    // A secret this short can be guessed by watching whether a guess compresses (RFC 7541 §7.1.3). Longer ones, such as signed tokens,
    // are worth indexing: they come with every call.
    const int ShortSecretLength = 32;

    public static Indexing Choose(in HeaderField field, int tableCapacityBytes)
    {
        bool isShortSecret = field.Value.Length < ShortSecretLength && field.Name is "authorization" or "cookie" or "proxy-authorization";
        if (field.NeverIndexed || isShortSecret)
            return Indexing.Never;

        // A value that is different in each block would only push out others that come back.
        if (field.Name is "grpc-timeout" or "content-length" or "date")
            return Indexing.None;

        // So would a field that takes most of the table.
        return field.Size > tableCapacityBytes / 4 * 3 ? Indexing.None : Indexing.Incremental;
    }
}
