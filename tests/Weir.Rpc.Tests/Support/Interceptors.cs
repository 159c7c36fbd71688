namespace Weir.Rpc.Tests.Support;

/// <summary>Does to texts and calls of a client whatever a test sets.</summary>
internal sealed class ClientHook : ClientInterceptor
{
    public delegate IAsyncEnumerable<string> Body(OutgoingCall call, IAsyncEnumerable<string> requests, Func<IAsyncEnumerable<string>, IAsyncEnumerable<string>> next);

    private readonly Body _body;

    public ClientHook(Body body) => _body = body;

    public override IAsyncEnumerable<TResponse> Invoke<TRequest, TResponse>(
        OutgoingCall call, IAsyncEnumerable<TRequest> requests, Func<IAsyncEnumerable<TRequest>, IAsyncEnumerable<TResponse>> next) =>
        (IAsyncEnumerable<TResponse>)_body(call, (IAsyncEnumerable<string>)requests, changed => (IAsyncEnumerable<string>)next((IAsyncEnumerable<TRequest>)changed));

    /// <summary>Marks each message with its name on the way out and on the way back.</summary>
    public static ClientHook Marking(string name) => new((_, requests, next) => next(requests.Select(text => text + name)).Select(text => text + name));
}

/// <summary>Does to texts and calls of a server whatever a test sets.</summary>
internal sealed class ServerHook : ServerInterceptor
{
    public delegate IAsyncEnumerable<string> Body(ServerCall call, IAsyncEnumerable<string> requests, Func<IAsyncEnumerable<string>, IAsyncEnumerable<string>> next);

    private readonly Body _body;

    public ServerHook(Body body) => _body = body;

    public override IAsyncEnumerable<TResponse> Invoke<TRequest, TResponse>(
        ServerCall call, IAsyncEnumerable<TRequest> requests, Func<IAsyncEnumerable<TRequest>, IAsyncEnumerable<TResponse>> next) =>
        (IAsyncEnumerable<TResponse>)_body(call, (IAsyncEnumerable<string>)requests, changed => (IAsyncEnumerable<string>)next((IAsyncEnumerable<TRequest>)changed));

    /// <summary>Marks each message with its name on the way in and on the way back.</summary>
    public static ServerHook Marking(string name) => new((_, requests, next) => next(requests.Select(text => text + name)).Select(text => text + name));
}
