using System.Runtime.CompilerServices;
using Weir.Rpc.Interception;

namespace Weir.Rpc.Serving;

/// <summary>One request, one response.</summary>
internal sealed class UnaryMethod<TActual, TService, TRequest, TResponse>(
    Method<TRequest, TResponse> method, IServiceActivator<TActual> activator, Func<TService, TRequest, ServerCall, ValueTask<TResponse>> handler)
    : BoundMethod<TActual, TService, TRequest, TResponse>(method, activator)
    where TActual : class
    where TService : class
    where TRequest : class
    where TResponse : class
{
    /// <inheritdoc/>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    public override async ValueTask HandleAsync(ServerCallState<TRequest, TResponse> call)
    {
        var request = await call.ReadSingleAsync().ConfigureAwait(false);
        var response = await handler(Activate(call), request, call).ConfigureAwait(false);
        await call.SendSingleAsync(response).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public override async IAsyncEnumerable<TResponse> Stream(ServerCallState<TRequest, TResponse> call, IAsyncEnumerable<TRequest> requests)
    {
        var request = await SingleMessage.TakeAsync(requests, "request", CancellationToken.None).ConfigureAwait(false);
        yield return call.CheckResponse(await handler(Activate(call), request, call).ConfigureAwait(false));
    }
}

/// <summary>A stream of requests, one response.</summary>
internal sealed class ClientStreamingMethod<TActual, TService, TRequest, TResponse>(
    Method<TRequest, TResponse> method, IServiceActivator<TActual> activator, Func<TService, IAsyncEnumerable<TRequest>, ServerCall, ValueTask<TResponse>> handler)
    : BoundMethod<TActual, TService, TRequest, TResponse>(method, activator)
    where TActual : class
    where TService : class
    where TRequest : class
    where TResponse : class
{
    /// <inheritdoc/>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    public override async ValueTask HandleAsync(ServerCallState<TRequest, TResponse> call)
    {
        var response = await handler(Activate(call), call.Requests, call).ConfigureAwait(false);
        await call.SendSingleAsync(response).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public override async IAsyncEnumerable<TResponse> Stream(ServerCallState<TRequest, TResponse> call, IAsyncEnumerable<TRequest> requests)
    {
        yield return call.CheckResponse(await handler(Activate(call), requests, call).ConfigureAwait(false));
    }
}

/// <summary>One request, a stream of responses.</summary>
internal sealed class ServerStreamingMethod<TActual, TService, TRequest, TResponse>(
    Method<TRequest, TResponse> method, IServiceActivator<TActual> activator, Func<TService, TRequest, ServerCall, IAsyncEnumerable<TResponse>> handler)
    : BoundMethod<TActual, TService, TRequest, TResponse>(method, activator)
    where TActual : class
    where TService : class
    where TRequest : class
    where TResponse : class
{
    /// <inheritdoc/>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    public override async ValueTask HandleAsync(ServerCallState<TRequest, TResponse> call)
    {
        var request = await call.ReadSingleAsync().ConfigureAwait(false);
        await call.SendAllAsync(handler(Activate(call), request, call)).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public override async IAsyncEnumerable<TResponse> Stream(ServerCallState<TRequest, TResponse> call, IAsyncEnumerable<TRequest> requests)
    {
        var request = await SingleMessage.TakeAsync(requests, "request", CancellationToken.None).ConfigureAwait(false);
        await foreach (var response in handler(Activate(call), request, call).WithCancellation(call.CancellationToken).ConfigureAwait(false))
        {
            yield return response;
        }
    }
}

/// <summary>Two streams at the same time.</summary>
internal sealed class DuplexStreamingMethod<TActual, TService, TRequest, TResponse>(
    Method<TRequest, TResponse> method, IServiceActivator<TActual> activator, Func<TService, IAsyncEnumerable<TRequest>, ServerCall, IAsyncEnumerable<TResponse>> handler)
    : BoundMethod<TActual, TService, TRequest, TResponse>(method, activator)
    where TActual : class
    where TService : class
    where TRequest : class
    where TResponse : class
{
    /// <inheritdoc/>
    public override ValueTask HandleAsync(ServerCallState<TRequest, TResponse> call) =>
        call.SendAllAsync(handler(Activate(call), call.Requests, call));

    /// <inheritdoc/>
    public override IAsyncEnumerable<TResponse> Stream(ServerCallState<TRequest, TResponse> call, IAsyncEnumerable<TRequest> requests) =>
        handler(Activate(call), requests, call);
}
