namespace Weir.Rpc;

/// <summary>Stands in the way of a client's calls, of all four kinds alike: a stream of messages each way. Used by any number of calls at once.</summary>
/// <example>
/// A token for each call, and the time until its end:
/// <code>
/// public override async IAsyncEnumerable&lt;TResponse&gt; Invoke&lt;TRequest, TResponse&gt;(OutgoingCall call, IAsyncEnumerable&lt;TRequest&gt; requests,
///     Func&lt;IAsyncEnumerable&lt;TRequest&gt;, IAsyncEnumerable&lt;TResponse&gt;&gt; next)
/// {
///     call.RequestHeaders.Add("authorization", await tokens.GetAsync(call.CancellationToken));
///     var start = Stopwatch.GetTimestamp();
///     await foreach (var response in next(requests).OnEnd(error => { Log(call.Path, error, Stopwatch.GetElapsedTime(start)); return error; }))
///         yield return response;
/// }
/// </code>
/// </example>
public abstract class ClientInterceptor
{
    /// <summary>Makes the call's responses of its requests: by way of <paramref name="next"/>, or without it.</summary>
    /// <remarks>
    /// What can be done: messages are seen, changed, dropped and added by giving <paramref name="next"/> other requests, and returning other
    /// responses, than those that came; the enumeration's end is OK, an <see cref="RpcException"/> thrown from it is the call's status. The
    /// request's metadata and deadline are <paramref name="call"/>'s until <paramref name="next"/>'s responses are first asked for; the response's
    /// metadata come by <see cref="OutgoingCall.OnResponseHeaders"/> and <see cref="OutgoingCall.Trailers"/>.
    /// A request that is to be sent uncompressed goes so whatever is made of it, until the next one is taken; later, only the same object does.
    /// A call with one request or response has a stream of exactly one. Of a call with one request, the requests may be enumerated again, and
    /// <paramref name="next"/> called again: each time is a new call. A stream of requests is enumerated once.
    /// The result is asked for its first message when the call starts, whether or not the caller reads yet. When the caller leaves the call,
    /// <see cref="OutgoingCall.CancellationToken"/> fires; the result is disposed of after its pending step has ended, so every await here should take it.
    /// </remarks>
    /// <param name="call">The call.</param>
    /// <param name="requests">What the caller, or the interceptor before, sends. Its end is the end of the requests.</param>
    /// <param name="next">The next interceptor, or the call itself. It begins when its result is enumerated.</param>
    public abstract IAsyncEnumerable<TResponse> Invoke<TRequest, TResponse>(
        OutgoingCall call, IAsyncEnumerable<TRequest> requests, Func<IAsyncEnumerable<TRequest>, IAsyncEnumerable<TResponse>> next)
        where TRequest : class
        where TResponse : class;
}
