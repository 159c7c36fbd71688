using Microsoft.Extensions.Options;
using ServingStatus = Grpc.Health.V1.HealthCheckResponse.Types.ServingStatus;

namespace Weir.AspNetCore.Health;

/// <summary>The status of each known service as of the last round. Safe for use by any number of threads.</summary>
internal sealed class ServingStatuses
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, ServingStatus> _byService; // under _lock; its keys never change
    private TaskCompletionSource _changed = NewSignal();           // under _lock
    private bool _stopped;                                         // under _lock

    public ServingStatuses(IOptions<RpcHealthOptions> options) =>
        _byService = options.Value.Services.Keys.ToDictionary(service => service, _ => ServingStatus.NotServing, StringComparer.Ordinal);

    /// <summary>The status of a service, null for an unknown one, and a task that completes when any service's status changes after that.</summary>
    public (ServingStatus? Status, Task Changed) Find(string service)
    {
        lock (_lock)
            return (_byService.TryGetValue(service, out var status) ? status : null, _changed.Task);
    }

    /// <summary>All known services.</summary>
    public IReadOnlyDictionary<string, ServingStatus> All()
    {
        lock (_lock)
            return new Dictionary<string, ServingStatus>(_byService);
    }

    /// <summary>Takes the outcome of a round; none is taken after <see cref="Stop"/>.</summary>
    public void Set(Func<string, ServingStatus> statusOf)
    {
        lock (_lock)
        {
            if (!_stopped)
                SetAll(statusOf);
        }
    }

    /// <summary>Nothing serves from now on.</summary>
    public void Stop()
    {
        lock (_lock)
        {
            _stopped = true;
            SetAll(_ => ServingStatus.NotServing);
        }
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private void SetAll(Func<string, ServingStatus> statusOf)
    {
        var changed = false;
        foreach (var service in _byService.Keys)
        {
            var status = statusOf(service);
            changed |= status != _byService[service];
            _byService[service] = status;
        }

        if (!changed)
            return;
        _changed.SetResult();
        _changed = NewSignal();
    }
}
