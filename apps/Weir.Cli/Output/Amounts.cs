using System.Globalization;

namespace Weir.Cli.Output;

/// <summary>Amounts as people read them.</summary>
internal static class Amounts
{
    private static readonly string[] Units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];

    /// <summary>"512 B", "1.5 KiB", "4.0 GiB".</summary>
    public static string Bytes(double bytes)
    {
        var unit = 0;
        // 1023.95 would be printed as 1024.0.
        while (bytes >= (unit == 0 ? 1024 : 1023.95) && unit < Units.Length - 1)
        {
            bytes /= 1024;
            unit++;
        }

        return bytes.ToString(unit == 0 ? "0" : "0.0", CultureInfo.InvariantCulture) + " " + Units[unit];
    }

    /// <summary>"1,234,567".</summary>
    public static string Count(long count) => count.ToString("N0", CultureInfo.InvariantCulture);

    /// <summary>"0:07", "12:34", "1:02:03"; "-:--" for none.</summary>
    public static string Clock(TimeSpan? span) => span switch
    {
        null => "-:--",
        { TotalHours: >= 1 } time => string.Create(CultureInfo.InvariantCulture, $"{(long)time.TotalHours}:{time:mm\\:ss}"),
        { } time => time.ToString("m\\:ss", CultureInfo.InvariantCulture),
    };

    /// <summary>"39.81".</summary>
    public static string Price(double price) => price.ToString("0.00##", CultureInfo.InvariantCulture);

    /// <summary>"2000-01-01 00:00:00" in UTC; the bare number when it is no time.</summary>
    public static string Instant(long unixSeconds) => unixSeconds is >= -62_135_596_800 and <= 253_402_300_799
        ? DateTimeOffset.FromUnixTimeSeconds(unixSeconds).ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture)
        : unixSeconds.ToString(CultureInfo.InvariantCulture);
}
