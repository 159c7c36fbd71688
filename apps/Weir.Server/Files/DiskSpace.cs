namespace Weir.Server.Files;

/// <summary>Tells a full disk from other failures of one.</summary>
static class DiskSpace
{
    const int NoSpace = 28, QuotaExceeded = 122; // ENOSPC and EDQUOT of Linux; macOS has 28 and 69
    const int MacQuotaExceeded = 69;
    const int WindowsDiskFull = unchecked((int)0x80070070); // ERROR_DISK_FULL

    /// <summary>Whether an error says that the disk, or the user's share of it, is used up. .NET gives the system's number as HResult.</summary>
    public static bool IsUsedUp(IOException error) => error.HResult switch
    {
        WindowsDiskFull => OperatingSystem.IsWindows(),
        NoSpace => !OperatingSystem.IsWindows(),
        QuotaExceeded => OperatingSystem.IsLinux(),
        MacQuotaExceeded => OperatingSystem.IsMacOS(),
        _ => false,
    };
}
