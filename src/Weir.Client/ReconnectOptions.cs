namespace Weir.Client;

/// <summary>How long to wait after a broken connection, and when to give up. Immutable.</summary>
public sealed class ReconnectOptions
{
    /// <summary>The options that hold when none are given.</summary>
    public static ReconnectOptions Default { get; } = new();

    /// <summary>The longest wait before the first new attempt; each further wait is up to twice the one before. More than zero. Default 0.1 s.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Zero or less.</exception>
    public TimeSpan FirstDelay { get; init => field = Positive(value, nameof(FirstDelay)); } = TimeSpan.FromSeconds(0.1);

    /// <summary>The longest wait before any new attempt. More than zero. Default 5 s.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Zero or less.</exception>
    public TimeSpan MaxDelay { get; init => field = Positive(value, nameof(MaxDelay)); } = TimeSpan.FromSeconds(5);

    /// <summary>How long attempts may fail without any progress between them before the last error is thrown.
    /// More than zero; <see cref="TimeSpan.MaxValue"/> means never. Default 5 minutes.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Zero or less.</exception>
    public TimeSpan GiveUpAfter { get; init => field = Positive(value, nameof(GiveUpAfter)); } = TimeSpan.FromMinutes(5);

    /// <summary>Whether to go on trying when the server has not been reached even once. Default true: a program may start before its server.</summary>
    public bool RetryFirstContact { get; init; } = true;

    /// <summary>Called before each wait, on the caller's flow of control. Default: nobody is told.</summary>
    public Action<ReconnectNotice>? OnRetry { get; init; }

    /// <summary>The clock. Default <see cref="TimeProvider.System"/>.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;

    private static TimeSpan Positive(TimeSpan value, string name) => value > TimeSpan.Zero
        ? value
        : throw new ArgumentOutOfRangeException(name, value, $"{name} is {value}; it must be more than zero.");
}

/// <summary>A connection broke and will be tried again.</summary>
/// <param name="Cause">What broke it.</param>
/// <param name="Attempt">Which attempt since the last progress follows, from 1.</param>
/// <param name="Delay">The wait before it.</param>
public readonly record struct ReconnectNotice(RpcException Cause, int Attempt, TimeSpan Delay);
