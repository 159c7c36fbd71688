using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Weir.Server.Hosting;

/// <summary>Which texts are values of a setting, and what they stand for.</summary>
internal abstract class SettingValues<T>(string name, string range)
{
    /// <summary>What stands for a value in the help.</summary>
    public string Name { get; } = name;

    /// <summary>The values that are taken, for people.</summary>
    public string Range { get; } = range;

    /// <summary>The value that a text stands for; false when it is none, or out of range.</summary>
    public abstract bool TryParse(string text, [MaybeNullWhen(false)] out T value);

    /// <summary>The text for a value.</summary>
    public abstract string Say(T value);
}

/// <summary>The kinds of values that the server's settings have.</summary>
internal static class SettingValues
{
    public static SettingValues<string> Text(string name) => new TextValues(name);

    public static SettingValues<bool> Flag { get; } = new FlagValues();

    public static SettingValues<int> Count(int least, int most) => new CountValues(least, most);

    public static SettingValues<long> Size(long least, long most) => new SizeValues(least, most);

    public static SettingValues<TimeSpan> Span(TimeSpan least, TimeSpan most) => new SpanValues(least, most);

    private sealed class TextValues(string name) : SettingValues<string>(name, "")
    {
        public override bool TryParse(string text, [MaybeNullWhen(false)] out string value)
        {
            value = text;
            return true;
        }

        public override string Say(string value) => value;
    }

    private sealed class FlagValues() : SettingValues<bool>("", "true or false")
    {
        public override bool TryParse(string text, out bool value) => bool.TryParse(text, out value);

        public override string Say(bool value) => value ? "true" : "false";
    }

    private sealed class CountValues(int least, int most) : SettingValues<int>("N", $"a whole number, {Digits(least)} to {Digits(most)}")
    {
        public override bool TryParse(string text, out int value) =>
            int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out value) && value >= least && value <= most;

        public override string Say(int value) => Digits(value);

        private static string Digits(int value) => value.ToString("#,0", CultureInfo.InvariantCulture);
    }

    /// <summary>Bytes, as "65536" or with a unit: 64KiB, 10GiB.</summary>
    private sealed class SizeValues(long least, long most) : SettingValues<long>("SIZE", $"a size such as 64KiB or 10GiB, {InUnits(least)} to {InUnits(most)}")
    {
        private static readonly (string Name, long Bytes)[] Units =
            [("TiB", 1L << 40), ("GiB", 1L << 30), ("MiB", 1L << 20), ("KiB", 1L << 10), ("B", 1), ("", 1)];

        public override bool TryParse(string text, out long value)
        {
            value = 0;
            var unit = Array.Find(Units, unit => text.EndsWith(unit.Name, StringComparison.OrdinalIgnoreCase));
            if (!long.TryParse(text.AsSpan(0, text.Length - unit.Name.Length), NumberStyles.None, CultureInfo.InvariantCulture, out var number)
                || number > long.MaxValue / unit.Bytes)
                return false;
            value = number * unit.Bytes;
            return value >= least && value <= most;
        }

        public override string Say(long value) => InUnits(value);

        private static string InUnits(long bytes)
        {
            var unit = Array.Find(Units, unit => bytes % unit.Bytes == 0 && bytes >= unit.Bytes);
            return (bytes / unit.Bytes).ToString(CultureInfo.InvariantCulture) + unit.Name;
        }
    }

    /// <summary>A time: a number with a unit (500ms, 1s, 5m, 2h, 7d), or as .NET has it (00:00:01).</summary>
    private sealed class SpanValues(TimeSpan least, TimeSpan most)
        : SettingValues<TimeSpan>("TIME", $"a time such as 500ms, 1s, 5m, 2h or 7d, {InUnits(least)} to {InUnits(most)}")
    {
        private static readonly (string Name, TimeSpan Span)[] Units =
        [
            ("d", TimeSpan.FromDays(1)), ("h", TimeSpan.FromHours(1)), ("m", TimeSpan.FromMinutes(1)), ("ms", TimeSpan.FromMilliseconds(1)), ("s", TimeSpan.FromSeconds(1)),
        ];

        public override bool TryParse(string text, out TimeSpan value) => TryParseAny(text, out value) && value >= least && value <= most;

        public override string Say(TimeSpan value) => InUnits(value);

        private static bool TryParseAny(string text, out TimeSpan value)
        {
            // A bare number is days for .NET, and seconds for most people: neither is taken.
            if (text.Contains(':', StringComparison.Ordinal))
                return TimeSpan.TryParse(text, CultureInfo.InvariantCulture, out value);
            value = default;
            var unit = Array.Find(Units, unit => text.EndsWith(unit.Name, StringComparison.OrdinalIgnoreCase));
            if (unit.Name is null
                || !double.TryParse(text.AsSpan(0, text.Length - unit.Name.Length), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number)
                || number * unit.Span.TotalDays > TimeSpan.MaxValue.TotalDays / 2)
                return false;
            value = number * unit.Span;
            return true;
        }

        private static string InUnits(TimeSpan span)
        {
            if (span == TimeSpan.Zero)
                return "0s";
            var unit = Array.Find((string[])["d", "h", "m", "s", "ms"], name => span.Ticks % Of(name).Ticks == 0)!;
            return (span / Of(unit)).ToString(CultureInfo.InvariantCulture) + unit;

            static TimeSpan Of(string name) => Array.Find(Units, unit => unit.Name == name).Span;
        }
    }
}
