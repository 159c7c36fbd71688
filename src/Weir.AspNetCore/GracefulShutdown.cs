using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Weir.AspNetCore;

/// <summary>When the host begins to stop: GOAWAY on every connection and Draining on every call at once, time to finish, then cancellation.
/// Kestrel, which stops at the same time, waits for its connections until <see cref="HostOptions.ShutdownTimeout"/>; so that must be longer.</summary>
internal sealed class GracefulShutdown : IHostedService, IDisposable
{
    private readonly IConnectionServer _server;
    private readonly OpenConnections _open;
    private readonly IHostApplicationLifetime _lifetime;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly TimeSpan _drainTimeout;
    private readonly TimeSpan _shutdownTimeout;
    private readonly Lazy<Task> _drain; // the stopping callback and StopAsync may come in either order
    private CancellationTokenRegistration _stopping;

    public GracefulShutdown(
        IConnectionServer server,
        OpenConnections open,
        IHostApplicationLifetime lifetime,
        IOptions<WeirOptions> options,
        IOptions<HostOptions> host,
        TimeProvider time,
        ILogger<GracefulShutdown> logger)
    {
        (_server, _open, _lifetime, _time, _logger) = (server, open, lifetime, time, logger);
        (_drainTimeout, _shutdownTimeout) = (options.Value.DrainTimeout, host.Value.ShutdownTimeout);
        _drain = new Lazy<Task>(DrainAsync);
    }

    public Task StartAsync(CancellationToken cancellationToken)
    {
        if (_drainTimeout >= _shutdownTimeout)
            throw new InvalidOperationException($"WeirOptions.DrainTimeout is {_drainTimeout}; it must be less than HostOptions.ShutdownTimeout, which is {_shutdownTimeout}.");
        _stopping = _lifetime.ApplicationStopping.Register(() => _ = _drain.Value);
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => _drain.Value.WaitAsync(cancellationToken);

    public void Dispose() => _stopping.Dispose();

    private async Task DrainAsync()
    {
        Log.Draining(_logger, _open.Count, _drainTimeout);
        _server.BeginDrain();
        try
        {
            await _open.WhenNone().WaitAsync(_drainTimeout, _time).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            Log.DrainTimeout(_logger, _open.Count, _drainTimeout);
            _server.Abort();
            await _open.WhenNone().ConfigureAwait(false);
        }
    }
}
