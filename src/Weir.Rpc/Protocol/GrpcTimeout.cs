using System.Globalization;

namespace Weir.Rpc.Protocol;

/// <summary>The value of the grpc-timeout header: one to eight digits and a unit (gRPC PROTOCOL-HTTP2, "Timeout").</summary>
internal static class GrpcTimeout
{
    private const long LargestValue = 99_999_999;
    private const long NanosecondsPerTick = 1_000_000_000 / TimeSpan.TicksPerSecond;

    /// <summary>Encodes a span in the finest unit whose value has at most eight digits, rounded up: the peer never gives up before this side does.
    /// Zero and negative spans become the shortest there is; the longest is 99,999,999 hours.</summary>
    public static string Encode(TimeSpan timeout)
    {
        var ticks = timeout.Ticks;
        if (ticks <= 0)
        {
            return "1n";
        }

        if (ticks <= LargestValue / NanosecondsPerTick)
        {
            return Format(ticks * NanosecondsPerTick, 'n');
        }

        return TryFormat(ticks, TimeSpan.TicksPerMicrosecond, 'u')
            ?? TryFormat(ticks, TimeSpan.TicksPerMillisecond, 'm')
            ?? TryFormat(ticks, TimeSpan.TicksPerSecond, 'S')
            ?? TryFormat(ticks, TimeSpan.TicksPerMinute, 'M')
            ?? Format(DivideUp(ticks, TimeSpan.TicksPerHour), 'H');
    }

    /// <summary>Decodes a header value; spans below one tick (100 ns) round up to one. False when it is not a timeout.</summary>
    public static bool TryDecode(ReadOnlySpan<char> value, out TimeSpan timeout)
    {
        timeout = default;
        if (value.Length is < 2 or > 9)
        {
            return false;
        }

        if (!long.TryParse(value[..^1], NumberStyles.None, CultureInfo.InvariantCulture, out var number))
        {
            return false;
        }

        long ticks;
        switch (value[^1])
        {
            case 'n': ticks = DivideUp(number, NanosecondsPerTick); break;
            case 'u': ticks = number * TimeSpan.TicksPerMicrosecond; break;
            case 'm': ticks = number * TimeSpan.TicksPerMillisecond; break;
            case 'S': ticks = number * TimeSpan.TicksPerSecond; break;
            case 'M': ticks = number * TimeSpan.TicksPerMinute; break;
            case 'H': ticks = number * TimeSpan.TicksPerHour; break; // at most 3.6e18: below TimeSpan.MaxValue
            default: return false;
        }

        timeout = new TimeSpan(ticks);
        return true;
    }

    /// <summary>The instant at which a timeout that starts now is over; instants past the end of the calendar clamp to it.</summary>
    public static DateTimeOffset Add(DateTimeOffset now, TimeSpan timeout) =>
        timeout > DateTimeOffset.MaxValue - now ? DateTimeOffset.MaxValue : now + timeout;

    private static string? TryFormat(long ticks, long ticksPerUnit, char unit)
    {
        var value = DivideUp(ticks, ticksPerUnit);
        return value <= LargestValue ? Format(value, unit) : null;
    }

    private static string Format(long value, char unit) =>
        string.Create(CultureInfo.InvariantCulture, $"{Math.Min(value, LargestValue)}{unit}");

    private static long DivideUp(long dividend, long divisor) => (dividend / divisor) + (dividend % divisor == 0 ? 0 : 1);
}
