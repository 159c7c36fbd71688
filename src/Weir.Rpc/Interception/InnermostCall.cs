using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;
using Weir.Rpc.Channels;

namespace Weir.Rpc.Interception;

/// <summary>A call that the last interceptor asked for, as a stream of messages each way.</summary>
internal sealed class InnermostCall<TRequest, TResponse>(
    CallInvoker invoker, Method<TRequest, TResponse> method, OutgoingCall call, UncompressedMessages uncompressed,
    Action<Exception> failSends, Action<IClientCall> onStarted)
    where TRequest : class
    where TResponse : class
{
    private volatile Exception? _requestFailure;

    /// <summary>Starts the call and gives its responses; leaving them cancels it.</summary>
    public async IAsyncEnumerable<TResponse> RunAsync(IAsyncEnumerable<TRequest> requests, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var options = call.Options with { Headers = call.RequestHeaders, Deadline = call.Deadline, Timeout = null, CancellationToken = default, AnsweredToken = default, MessageTimeout = null };
        IClientCall inner;
        Task<TResponse>? response = null;
        IAsyncEnumerable<TResponse>? responses = null;
        switch (method.Kind)
        {
            case MethodKind.Unary:
                var unary = invoker.Unary(method, await SingleMessage.TakeAsync(requests, "request", stop.Token).ConfigureAwait(false), options, stop.Token);
                (inner, response) = (unary.Inner, unary.AsTask());
                break;
            case MethodKind.ServerStreaming:
                var server = invoker.ServerStreaming(method, await SingleMessage.TakeAsync(requests, "request", stop.Token).ConfigureAwait(false), options, stop.Token);
                (inner, responses) = (server.Inner, server);
                break;
            case MethodKind.ClientStreaming:
                var client = invoker.ClientStreaming(method, options, stop.Token).Inner;
                _ = PumpAsync(requests, client, stop); // never fails
                (inner, response) = (client, client.ReadSingleAsync());
                break;
            default:
                var duplex = invoker.DuplexStreaming(method, options, stop.Token).Inner;
                _ = PumpAsync(requests, duplex, stop); // never fails
                (inner, responses) = (duplex, duplex.Responses);
                break;
        }

        onStarted(inner);
        await using var disposal = inner.ConfigureAwait(false);
        var headers = WatchHeadersAsync(inner, stop);
        var headersTold = false;
        responses ??= SingleAsync(response!);
        await foreach (var message in responses.OnEnd(error => _requestFailure ?? error, CancellationToken.None).ConfigureAwait(false))
        {
            if (!headersTold)
            {
                headersTold = true;
                if (!await headers.ConfigureAwait(false)) // they came before it
                {
                    call.SetResponseHeaders(await inner.GetResponseHeadersAsync().ConfigureAwait(false));
                }
            }

            yield return message;
        }

        await headers.ConfigureAwait(false);
        if (_requestFailure is { } failure)
        {
            ExceptionDispatchInfo.Throw(failure);
        }

        call.SetTrailers(inner.Trailers);
    }

    private static async IAsyncEnumerable<TResponse> SingleAsync(Task<TResponse> response)
    {
        yield return await response.ConfigureAwait(false);
    }

    /// <summary>Tells the response's headers when they come. True when it did: not those of a call that ended meanwhile, which may have had none.</summary>
    private async Task<bool> WatchHeadersAsync(IClientCall inner, CancellationTokenSource stop)
    {
        Metadata headers;
        try
        {
            headers = await inner.GetResponseHeadersAsync().ConfigureAwait(false);
        }
        catch (RpcException)
        {
            return false; // the call's end tells it
        }

        if (headers.Count == 0 && inner.IsFinished)
        {
            return false;
        }

        try
        {
            call.SetResponseHeaders(headers);
        }
        catch (Exception error) // of an interceptor: ends the call
        {
            await FailAsync(error, stop).ConfigureAwait(false);
        }

        return true;
    }

    /// <summary>Sends what the interceptors give. Ends with the requests, or when the call takes no more; never fails.</summary>
    private async Task PumpAsync(IAsyncEnumerable<TRequest> requests, IClientCall<TRequest, TResponse> inner, CancellationTokenSource stop)
    {
        try
        {
            await foreach (var request in requests.WithCancellation(stop.Token).ConfigureAwait(false))
            {
                try
                {
                    await inner.SendAsync(request, uncompressed.OnGiven(request, otherwise: false), CancellationToken.None).ConfigureAwait(false);
                }
                catch (Exception error) when (inner.IsFinished)
                {
                    failSends(error);
                    return;
                }
            }

            inner.Complete();
        }
        catch (Exception error) // of an interceptor, or a message that cannot be sent: ends the call
        {
            await FailAsync(error, stop).ConfigureAwait(false);
        }
    }

    private async Task FailAsync(Exception error, CancellationTokenSource stop)
    {
        try
        {
            if (!stop.IsCancellationRequested)
            {
                _requestFailure ??= error;
                await stop.CancelAsync().ConfigureAwait(false);
            }
        }
        catch (ObjectDisposedException)
        {
            // The call has ended.
        }
    }
}
