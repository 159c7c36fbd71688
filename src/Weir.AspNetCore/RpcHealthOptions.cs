using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Weir.AspNetCore;

/// <summary>Settings of the health service. Set them in <c>AddRpcHealth</c>; they are read once, when the host starts.</summary>
public sealed class RpcHealthOptions
{
    private readonly Dictionary<string, Func<HealthCheckRegistration, bool>> _services = new(StringComparer.Ordinal) { [""] = static _ => true };

    /// <summary>From the end of one round of the health checks to the begin of the next: a status is as old as this at most, plus the time that
    /// the checks take. More than zero. Default 5 s.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is zero or negative.</exception>
    public TimeSpan Period
    {
        get;
        set
        {
            ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(value, TimeSpan.Zero);
            field = value;
        }
    } = TimeSpan.FromSeconds(5);

    /// <summary>How long one round of the health checks may take: after that the checks are cancelled and every service is NOT_SERVING until
    /// a round ends in time. More than zero. Default 30 s.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is zero or negative.</exception>
    public TimeSpan Timeout
    {
        get;
        set
        {
            ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(value, TimeSpan.Zero);
            field = value;
        }
    } = TimeSpan.FromSeconds(30);

    /// <summary>The services whose health is known, each with the checks that decide it.</summary>
    internal IReadOnlyDictionary<string, Func<HealthCheckRegistration, bool>> Services => _services;

    /// <summary>Makes a service known to clients of the health service. It serves while none of its checks is Unhealthy; Degraded serves, and
    /// so does a service without checks. The empty name is the server as a whole: known from the start, with every check.</summary>
    /// <param name="service">The name that clients ask for, by custom the full name of an RPC service: "weir.v1.Users". Given again, the last holds.</param>
    /// <param name="checks">Which of the application's health checks decide, by name or tags.</param>
    public RpcHealthOptions Map(string service, Func<HealthCheckRegistration, bool> checks)
    {
        ArgumentNullException.ThrowIfNull(service);
        ArgumentNullException.ThrowIfNull(checks);
        _services[service] = checks;
        return this;
    }
}
