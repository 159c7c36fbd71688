namespace Weir.Rpc;

/// <summary>Stands in the way of a server's calls, of all four kinds alike: a stream of messages each way. Used by any number of calls at once.</summary>
public abstract class ServerInterceptor
{
    /// <summary>Makes the call's responses of its requests: by way of <paramref name="next"/>, or without it.</summary>
    /// <remarks>
    /// What can be done: messages are seen, changed, dropped and added by giving <paramref name="next"/> other requests, and returning other
    /// responses, than those that came; the enumeration's end is OK, an exception thrown from it ends the call as a handler's does
    /// (<see cref="StreamExtensions.OnEnd"/> sees and changes it). <see cref="ServerCall.RequestHeaders"/> may be changed before
    /// <paramref name="next"/> is enumerated, <see cref="ServerCall.OnSendingHeaders"/> sees and changes the response's headers, <see cref="ServerCall.ResponseTrailers"/>
    /// its trailers; <see cref="ServerCall.Items"/> carries what the handler should know. What the handler sends with <see cref="ServerCall.GetSender"/>
    /// comes with its responses. A call with one request or response has a stream of exactly one.
    /// A response that is to be sent uncompressed goes so whatever is made of it, until the next one is taken; later, only the same object does.
    /// </remarks>
    /// <param name="call">The call as its handler will see it.</param>
    /// <param name="requests">What the client, or the interceptor before, sends; to be enumerated once.</param>
    /// <param name="next">The next interceptor, or the handler; at most once. The service object is made when its result is enumerated.</param>
    public abstract IAsyncEnumerable<TResponse> Invoke<TRequest, TResponse>(
        ServerCall call, IAsyncEnumerable<TRequest> requests, Func<IAsyncEnumerable<TRequest>, IAsyncEnumerable<TResponse>> next)
        where TRequest : class
        where TResponse : class;
}
