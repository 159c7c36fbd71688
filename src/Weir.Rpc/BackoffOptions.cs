namespace Weir.Rpc;

/// <summary>The pauses between attempts to connect, as gRPC's connection-backoff describes them: counted from the start of an attempt, growing from one
/// failure to the next, from the beginning again after a connection that served. Set them before the channel is made.</summary>
public sealed class BackoffOptions
{
    /// <summary>The first pause. 1 ms to 1 hour. Default 1 s.</summary>
    public TimeSpan Initial
    {
        get;
        set => field = CheckPause(value, nameof(Initial));
    } = TimeSpan.FromSeconds(1);

    /// <summary>By how much each further pause is longer. 1 to 10. Default 1.6.</summary>
    public double Multiplier
    {
        get;
        set => field = CheckFactor(value, 1, 10, nameof(Multiplier));
    } = 1.6;

    /// <summary>The part of a further pause by which chance makes it longer or shorter. 0 to 0.9. Default 0.2: 20 %.</summary>
    public double Jitter
    {
        get;
        set => field = CheckFactor(value, 0, 0.9, nameof(Jitter));
    } = 0.2;

    /// <summary>The longest pause, before jitter. 1 ms to 1 hour. Default 120 s.</summary>
    public TimeSpan Max
    {
        get;
        set => field = CheckPause(value, nameof(Max));
    } = TimeSpan.FromSeconds(120);

    private static TimeSpan CheckPause(TimeSpan value, string name)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(value, TimeSpan.FromMilliseconds(1), name);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(value, TimeSpan.FromHours(1), name);
        return value;
    }

    private static double CheckFactor(double value, double least, double most, string name) =>
        value >= least && value <= most ? value : throw new ArgumentOutOfRangeException(name, value, $"{name} is {value}; it may be {least} to {most}.");
}
