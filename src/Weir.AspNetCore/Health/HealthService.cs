using Grpc.Health.V1;
using Microsoft.Extensions.Hosting;
using Weir.Rpc;
using ServingStatus = Grpc.Health.V1.HealthCheckResponse.Types.ServingStatus;

namespace Weir.AspNetCore.Health;

/// <summary>Answers clients of <c>grpc.health.v1.Health</c>.</summary>
/// <remarks>https://github.com/grpc/grpc/blob/master/doc/health-checking.md</remarks>
internal sealed class HealthService(ServingStatuses statuses, IHostApplicationLifetime lifetime) : Grpc.Health.V1.Health.Server
{
    public override ValueTask<HealthCheckResponse> Check(HealthCheckRequest request, ServerCall call) =>
        statuses.Find(request.Service).Status is { } status
            ? new(new HealthCheckResponse { Status = status })
            : throw new RpcException(StatusCode.NotFound, $"the health of service \"{request.Service}\" is not known here");

    public override ValueTask<HealthListResponse> List(HealthListRequest request, ServerCall call)
    {
        var response = new HealthListResponse();
        foreach (var (service, status) in statuses.All())
            response.Statuses.Add(service, new HealthCheckResponse { Status = status });
        return new(response);
    }

    /// <summary>Of several changes while the client does not keep up it sees the last. A connection that ends while the server goes on says nothing of its health.</summary>
    public override async IAsyncEnumerable<HealthCheckResponse> Watch(HealthCheckRequest request, ServerCall call)
    {
        ServingStatus? sent = null;
        while (true)
        {
            var (known, changed) = statuses.Find(request.Service);
            var draining = call.Draining.IsCancellationRequested;
            var stopping = draining && lifetime.ApplicationStopping.IsCancellationRequested;
            var status = known is null ? ServingStatus.ServiceUnknown : stopping ? ServingStatus.NotServing : known.Value;
            if (status != sent)
                yield return new HealthCheckResponse { Status = status };
            if (draining)
                throw new RpcException(StatusCode.Unavailable, stopping ? "the server is stopping" : "the connection is going to end");
            sent = status;
            await ChangeOrDrainAsync(changed, call).ConfigureAwait(false);
        }
    }

    private static async Task ChangeOrDrainAsync(Task changed, ServerCall call)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(call.CancellationToken, call.Draining);
        await changed.WaitAsync(either.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        call.CancellationToken.ThrowIfCancellationRequested();
    }
}
