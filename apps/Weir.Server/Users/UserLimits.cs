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

    /// <summary>Rows a transaction at most. A transaction writes each page that it changes once, so few large ones are quicker; two batches are in
    /// memory, one being written while the other fills (about 2 MB each).</summary>
    public const int MaxBatchRows = 10_000;

    /// <summary>Errors in an answer at most; the count of skipped rows goes on.</summary>
    public const int MaxReportedErrors = 100;

    /// <summary>Characters of a name.</summary>
    public const int MaxNameLength = 200;

    /// <summary>Characters of an e-mail address and of its local part (RFC 5321 §4.5.3.1).</summary>
    public const int MaxEmailLength = 254, MaxEmailLocalLength = 64;

    /// <summary>How long the first row of a batch waits for others.</summary>
    public static readonly TimeSpan MaxBatchAge = TimeSpan.FromMilliseconds(100);
}
