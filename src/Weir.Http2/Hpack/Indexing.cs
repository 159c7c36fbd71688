namespace Weir.Http2.Hpack;

/// <summary>How a literal field treats the dynamic table (RFC 7541 §6.2).</summary>
internal enum Indexing
{
    /// <summary>It enters the table.</summary>
    Incremental,

    /// <summary>It leaves the table as it is.</summary>
    None,

    /// <summary>It is sensitive: no intermediary may put it in a table either.</summary>
    Never,
}
