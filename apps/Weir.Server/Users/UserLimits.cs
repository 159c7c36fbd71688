namespace Weir.Server.Users;

/// <summary>Limits of the user calls. Each is a decision about memory or time and named after what it bounds.</summary>
internal static class UserLimits
{
    /// <summary>Rows a fetch when the client does not say.</summary>
    public const int DefaultPageRows = 10;

    /// <summary>Rows a fetch at most: the page is in memory while it is sent (about 2 MB).</summary>
    public const int MaxPageRows = 10_000;

    /// <summary>Rows of a list's first fetch at most: the first user does not wait for a page of thousands.</summary>
    public const int FirstPageRows = 50;

    /// <summary>From so many rows a fetch on, the next page is read while one is sent; for fewer the hand-over costs more than it saves.</summary>
    public const int ReadAheadRows = 100;

    /// <summary>Rows of an import that are in memory together; two batches are, one being written while the other fills (about 1 MB each).</summary>
    public const int MaxBatchRows = 5_000;

    /// <summary>Rows a transaction at most. It writes each page that it changes once, and e-mails in no order change pages all over their index: few large
    /// transactions are quicker.</summary>
    public const int MaxTransactionRows = 100_000;

    /// <summary>Errors in an answer at most; the count of skipped rows goes on.</summary>
    public const int MaxReportedErrors = 100;

    /// <summary>Characters of a name.</summary>
    public const int MaxNameLength = 200;

    /// <summary>Characters of an e-mail address and of its local part (RFC 5321 §4.5.3.1).</summary>
    public const int MaxEmailLength = 254, MaxEmailLocalLength = 64;

    /// <summary>How long a transaction goes on at most; other importers wait for it.</summary>
    public static readonly TimeSpan MaxTransactionAge = TimeSpan.FromSeconds(1);

    /// <summary>How long the first row of a batch waits for others.</summary>
    public static readonly TimeSpan MaxBatchAge = TimeSpan.FromMilliseconds(100);
}
