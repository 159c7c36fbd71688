namespace Weir.Server.Files;

/// <summary>Settings of the file calls.</summary>
sealed class FilesOptions
{
    TimeSpan _keepUploads = TimeSpan.FromDays(7);
    long _maxFileBytes = 1L << 40;

    /// <summary>The folder that holds the files, their index and uploads in progress; created if it is not there.</summary>
    public required string Directory { get; init; }

    /// <summary>How long an upload that nobody goes on with stays, and how long a completed one is remembered for clients that lost the
    /// answer. Checked when the server starts. Default 7 days; more than zero.</summary>
    public TimeSpan KeepUploads
    {
        get => _keepUploads;
        init
        {
            ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(value, TimeSpan.Zero);
            _keepUploads = value;
        }
    }

    /// <summary>The largest file taken, in bytes. Default 1 TiB; at least 1.</summary>
    public long MaxFileBytes
    {
        get => _maxFileBytes;
        init
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, 1);
            _maxFileBytes = value;
        }
    }
}
