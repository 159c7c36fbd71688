using System.Globalization;

namespace Weir.Rpc.Policies;

/// <summary>What values policies may have (gRFC A6).</summary>
internal static class PolicyLimits
{
    /// <summary>More attempts than these are not made, whatever a policy says.</summary>
    public const int MostAttempts = 5;

    /// <summary>Checks a number of attempts and caps it.</summary>
    public static int CheckAttempts(int value, string name)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(value, 2, name);
        return Math.Min(value, MostAttempts);
    }

    /// <summary>Checks a finite number above zero.</summary>
    public static double CheckPositive(double value, string name) => double.IsFinite(value) && value > 0
        ? value
        : throw new ArgumentOutOfRangeException(name, value, $"{value.ToString(CultureInfo.InvariantCulture)} is not above zero and finite.");

    /// <summary>Checks a set of codes.</summary>
    public static IReadOnlySet<StatusCode> CheckCodes(IReadOnlySet<StatusCode> value, string name, int least)
    {
        ArgumentNullException.ThrowIfNull(value, name);
        ArgumentOutOfRangeException.ThrowIfLessThan(value.Count, least, name);
        return !value.Contains(StatusCode.Ok) ? value : throw new ArgumentOutOfRangeException(name, "Ok", "Ok is no failure.");
    }
}
