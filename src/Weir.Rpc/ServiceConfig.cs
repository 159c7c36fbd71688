using Weir.Rpc.Policies;

namespace Weir.Rpc;

/// <summary>What a client should do with the calls of a channel, as gRPC's service config says: which time they have, how they are tried again.
/// Immutable once it is made.</summary>
/// <remarks>https://github.com/grpc/grpc/blob/master/doc/service_config.md; retries and hedging: gRFC A6.</remarks>
public sealed class ServiceConfig
{
    /// <summary>What holds for which methods. A method's own name beats its service's, which beats the default. Default: nothing.</summary>
    public IReadOnlyList<MethodConfig> MethodConfigs { get; init; } = [];

    /// <summary>Stops all retries and hedging while too many attempts fail; null for no such limit. Default: null.</summary>
    public RetryThrottling? RetryThrottling { get; init; }

    /// <summary>The names of the load-balancing policies to choose from, the first known one wins. Default: none.</summary>
    public IReadOnlyList<string> LoadBalancingPolicies { get; init; } = [];

    /// <summary>Reads the JSON form. Fields that are not known are passed over, as the specification wants.</summary>
    /// <exception cref="FormatException">It is not JSON, or a value is not right: the message names the field, "methodConfig[0].retryPolicy.maxAttempts".</exception>
    public static ServiceConfig Parse(string json)
    {
        ArgumentNullException.ThrowIfNull(json);
        return ServiceConfigReader.Read(json);
    }
}

/// <summary>Which methods a <see cref="MethodConfig"/> is for.</summary>
/// <param name="Service">The service's full name, "weir.v1.Users"; empty for every service.</param>
/// <param name="Method">The method's name, "GetUserList"; empty for every method of the service.</param>
public readonly record struct MethodName(string Service = "", string Method = "");

/// <summary>What holds for some methods. Immutable once it is made.</summary>
public sealed class MethodConfig
{
    /// <summary>The methods. Default: none, which makes it useless.</summary>
    public IReadOnlyList<MethodName> Names { get; init; } = [];

    /// <summary>The longest time a call has; the earlier of this and the caller's deadline holds. Zero or more. Default: null, none.</summary>
    public TimeSpan? Timeout
    {
        get;
        init
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value ?? TimeSpan.Zero, TimeSpan.Zero, nameof(Timeout));
            field = value;
        }
    }

    /// <summary>Whether calls wait while the server cannot be reached instead of failing at once; null leaves it to the caller. Default: null.</summary>
    public bool? WaitForReady { get; init; }

    /// <summary>The largest request, in bytes; the smaller of this and the channel's MaxSendMessageBytes holds. 0 to 2,147,483,586. Default: null.</summary>
    public int? MaxRequestMessageBytes
    {
        get;
        init => field = value is { } bytes ? RpcLimits.CheckMessageBytes(bytes, nameof(MaxRequestMessageBytes)) : null;
    }

    /// <summary>The largest response, in bytes; the smaller of this and the channel's MaxReceiveMessageBytes holds. 0 to 2,147,483,586. Default: null.</summary>
    public int? MaxResponseMessageBytes
    {
        get;
        init => field = value is { } bytes ? RpcLimits.CheckMessageBytes(bytes, nameof(MaxResponseMessageBytes)) : null;
    }

    /// <summary>How a failed call is tried again; not together with <see cref="HedgingPolicy"/>. Default: null, not at all.</summary>
    public RetryPolicy? RetryPolicy { get; init; }

    /// <summary>How a slow call is tried several times at once; not together with <see cref="RetryPolicy"/>. Default: null, not at all.</summary>
    public HedgingPolicy? HedgingPolicy { get; init; }
}

/// <summary>How a failed call is tried again. Immutable once it is made.</summary>
/// <remarks>A call can be tried again until the response's headers are here (a message always comes behind them), or until more was sent than is kept for it.</remarks>
public sealed class RetryPolicy
{
    /// <summary>Attempts in all, the first included. 2 or more; above 5 counts as 5. Default 5.</summary>
    public int MaxAttempts { get; init => field = PolicyLimits.CheckAttempts(value, nameof(MaxAttempts)); } = PolicyLimits.MostAttempts;

    /// <summary>The wait before the second attempt; every wait is made up to 20 % shorter or longer by chance. Above zero. Default 1 s.</summary>
    public TimeSpan InitialBackoff { get; init => field = RpcLimits.CheckTimeout(value, nameof(InitialBackoff)); } = TimeSpan.FromSeconds(1);

    /// <summary>The longest wait. Above zero. Default 5 s.</summary>
    public TimeSpan MaxBackoff { get; init => field = RpcLimits.CheckTimeout(value, nameof(MaxBackoff)); } = TimeSpan.FromSeconds(5);

    /// <summary>By which each wait is longer than the one before. Above zero. Default 1.6.</summary>
    public double BackoffMultiplier { get; init => field = PolicyLimits.CheckPositive(value, nameof(BackoffMultiplier)); } = 1.6;

    /// <summary>The codes after which the call is tried again: at least one, and not OK. Default: Unavailable.</summary>
    public IReadOnlySet<StatusCode> RetryableStatusCodes
    {
        get;
        init => field = PolicyLimits.CheckCodes(value, nameof(RetryableStatusCodes), least: 1);
    } = new HashSet<StatusCode> { StatusCode.Unavailable };
}

/// <summary>How a call is tried several times at once: the first answer counts, the others are cancelled. For calls that do no harm when they
/// run more than once. Immutable once it is made.</summary>
public sealed class HedgingPolicy
{
    /// <summary>Attempts in all, the first included. 2 or more; above 5 counts as 5. Default 5.</summary>
    public int MaxAttempts { get; init => field = PolicyLimits.CheckAttempts(value, nameof(MaxAttempts)); } = PolicyLimits.MostAttempts;

    /// <summary>The wait for an answer before the next attempt starts. Zero, for all at once, to 24 days. Default zero.</summary>
    public TimeSpan HedgingDelay
    {
        get;
        init => field = value == TimeSpan.Zero ? value : RpcLimits.CheckTimeout(value, nameof(HedgingDelay));
    }

    /// <summary>The codes after which the other attempts go on and the next one starts at once; any other ends the call. Default: none.</summary>
    public IReadOnlySet<StatusCode> NonFatalStatusCodes
    {
        get;
        init => field = PolicyLimits.CheckCodes(value, nameof(NonFatalStatusCodes), least: 0);
    } = new HashSet<StatusCode>();
}

/// <summary>A bucket of tokens that all calls of a channel share: each failed attempt takes one, each call that succeeds puts some back; while it is at
/// most half full there are no retries. Immutable once it is made.</summary>
public sealed class RetryThrottling
{
    /// <summary>How many tokens the bucket holds. Above 0, up to 1000. Default 10.</summary>
    public double MaxTokens
    {
        get;
        init
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThan(value, 1000, nameof(MaxTokens));
            field = PolicyLimits.CheckPositive(value, nameof(MaxTokens));
        }
    } = 10;

    /// <summary>How many tokens a success puts back; counted in thousandths. 0.001 or more. Default 0.1.</summary>
    public double TokenRatio
    {
        get;
        init
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(PolicyLimits.CheckPositive(value, nameof(TokenRatio)), 0.001, nameof(TokenRatio));
            field = value;
        }
    } = 0.1;
}
