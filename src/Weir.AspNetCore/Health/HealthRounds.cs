using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using ServingStatus = Grpc.Health.V1.HealthCheckResponse.Types.ServingStatus;

namespace Weir.AspNetCore.Health;

/// <summary>Runs the application's health checks, all of them once a period, and keeps what they say of each service.</summary>
internal sealed class HealthRounds : BackgroundService
{
    private readonly HealthCheckService _checks;
    private readonly ServingStatuses _statuses;
    private readonly IHostApplicationLifetime _lifetime;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly RpcHealthOptions _options;
    private readonly Dictionary<string, string[]> _checksOf; // the names of the checks that decide a service

    public HealthRounds(
        HealthCheckService checks,
        ServingStatuses statuses,
        IHostApplicationLifetime lifetime,
        IOptions<RpcHealthOptions> options,
        IOptions<HealthCheckServiceOptions> registered,
        TimeProvider time,
        ILogger<HealthRounds> logger)
    {
        (_checks, _statuses, _lifetime, _options, _time, _logger) = (checks, statuses, lifetime, options.Value, time, logger);
        _checksOf = _options.Services.ToDictionary(
            service => service.Key,
            service => registered.Value.Registrations.Where(service.Value).Select(check => check.Name).ToArray(),
            StringComparer.Ordinal);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // The host asks its services to stop one after another; clients are to hear of it before their connections drain.
        using var stopping = _lifetime.ApplicationStopping.Register(_statuses.Stop);
        try
        {
            while (true)
            {
                await RunRoundAsync(stoppingToken).ConfigureAwait(false);
                await Task.Delay(_options.Period, _time, stoppingToken).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // the host stops
        }
    }

    private async Task RunRoundAsync(CancellationToken stop)
    {
        using var late = new CancellationTokenSource(_options.Timeout, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(stop, late.Token);
        try
        {
            var report = await _checks.CheckHealthAsync(either.Token).ConfigureAwait(false);
            _statuses.Set(service => StatusOf(_checksOf[service], report));
        }
        catch (OperationCanceledException) when (late.IsCancellationRequested && !stop.IsCancellationRequested)
        {
            Log.HealthChecksTimeout(_logger, _options.Timeout);
            _statuses.Set(_ => ServingStatus.NotServing);
        }
    }

    private static ServingStatus StatusOf(string[] checks, HealthReport report) =>
        checks.Any(name => report.Entries[name].Status == HealthStatus.Unhealthy) ? ServingStatus.NotServing : ServingStatus.Serving;
}
