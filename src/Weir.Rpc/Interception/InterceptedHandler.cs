using Weir.Rpc.Serving;

namespace Weir.Rpc.Interception;

/// <summary>One call of a server on its way through the interceptors to its handler, and back.</summary>
internal sealed class InterceptedHandler<TRequest, TResponse>(
    ServerCallState<TRequest, TResponse> call, BoundMethod<TRequest, TResponse> method, ServerInterceptor[] interceptors)
    where TRequest : class
    where TResponse : class
{
    private readonly UncompressedMessages _uncompressed = new();
    private int _handled;

    /// <summary>Takes the requests, sends the responses, not the status.</summary>
    public async ValueTask RunAsync()
    {
        var requests = method.Method.Kind is MethodKind.Unary or MethodKind.ServerStreaming ? ReadSingleAsync() : call.Requests;
        var responses = Invoke(0, requests);
        if (call.HasSingleResponse)
        {
            await call.SendSingleAsync(await SingleMessage.TakeAsync(responses, "response", call.CancellationToken).ConfigureAwait(false)).ConfigureAwait(false);
        }
        else
        {
            await foreach (var response in responses.WithCancellation(call.CancellationToken).ConfigureAwait(false))
            {
                await call.SendAsync(response, _uncompressed.OnGiven(response, call.ResponsesUncompressed), CancellationToken.None).ConfigureAwait(false);
            }
        }
    }

    private async IAsyncEnumerable<TRequest> ReadSingleAsync()
    {
        yield return await call.ReadSingleAsync().ConfigureAwait(false);
    }

    private IAsyncEnumerable<TResponse> Invoke(int index, IAsyncEnumerable<TRequest> requests)
    {
        ArgumentNullException.ThrowIfNull(requests);
        if (index == interceptors.Length)
        {
            return HandleAsync(requests);
        }

        var interceptor = interceptors[index];
        return interceptor.Invoke<TRequest, TResponse>(call, requests, changed => Invoke(index + 1, changed))
            ?? throw new InvalidOperationException($"{interceptor.GetType().Name} returned null instead of responses.");
    }

    private async IAsyncEnumerable<TResponse> HandleAsync(IAsyncEnumerable<TRequest> requests)
    {
        if (Interlocked.Exchange(ref _handled, 1) != 0)
        {
            throw new InvalidOperationException($"An interceptor ran the handler of {call.Method} a second time.");
        }

        var responses = call.HasSingleResponse ? method.Stream(call, requests) : new MergedResponses<TRequest, TResponse>(call, _uncompressed).RunAsync(method, requests);
        await foreach (var response in responses.WithCancellation(call.CancellationToken).ConfigureAwait(false))
        {
            yield return response;
        }
    }
}
