using Google.Protobuf.Reflection;
using Weir.Rpc;

namespace Weir.Protoc.Tests;

/// <summary>Keeps what a service binds: "Kind /path" and the handler, which takes the service and the request or requests.</summary>
internal sealed class RecordingBinder : ServiceBinder
{
    public Dictionary<string, Func<object, object, object>> Bound { get; } = [];

    public ServiceDescriptor? Described { get; private set; }

    public override void Describe(ServiceDescriptor descriptor) => Described = descriptor;

    public override void Unary<TService, TRequest, TResponse>(Method<TRequest, TResponse> method, Func<TService, TRequest, ServerCall, ValueTask<TResponse>> handler) =>
        Add(method, MethodKind.Unary, (service, request) => handler((TService)service, (TRequest)request, null!).AsTask());

    public override void ClientStreaming<TService, TRequest, TResponse>(Method<TRequest, TResponse> method, Func<TService, IAsyncEnumerable<TRequest>, ServerCall, ValueTask<TResponse>> handler) =>
        Add(method, MethodKind.ClientStreaming, (service, requests) => handler((TService)service, (IAsyncEnumerable<TRequest>)requests, null!).AsTask());

    public override void ServerStreaming<TService, TRequest, TResponse>(Method<TRequest, TResponse> method, Func<TService, TRequest, ServerCall, IAsyncEnumerable<TResponse>> handler) =>
        Add(method, MethodKind.ServerStreaming, (service, request) => handler((TService)service, (TRequest)request, null!));

    public override void DuplexStreaming<TService, TRequest, TResponse>(Method<TRequest, TResponse> method, Func<TService, IAsyncEnumerable<TRequest>, ServerCall, IAsyncEnumerable<TResponse>> handler) =>
        Add(method, MethodKind.DuplexStreaming, (service, requests) => handler((TService)service, (IAsyncEnumerable<TRequest>)requests, null!));

    private void Add<TRequest, TResponse>(Method<TRequest, TResponse> method, MethodKind kind, Func<object, object, object> handler)
        where TRequest : class
        where TResponse : class
    {
        Assert.Equal(kind, method.Kind);
        Bound.Add($"{kind} {method.Path}", handler);
    }
}

/// <summary>Keeps what a client asks for and starts nothing.</summary>
internal sealed class RecordingInvoker : CallInvoker
{
    public List<(string Method, object? Request, CallOptions Options, CancellationToken CancellationToken)> Calls { get; } = [];

    public override UnaryCall<TResponse> Unary<TRequest, TResponse>(Method<TRequest, TResponse> method, TRequest request, CallOptions options, CancellationToken cancellationToken)
    {
        Calls.Add(($"{method.Kind} {method.Path}", request, options, cancellationToken));
        return null!;
    }

    public override ServerStreamingCall<TResponse> ServerStreaming<TRequest, TResponse>(Method<TRequest, TResponse> method, TRequest request, CallOptions options, CancellationToken cancellationToken)
    {
        Calls.Add(($"{method.Kind} {method.Path}", request, options, cancellationToken));
        return null!;
    }

    public override ClientStreamingCall<TRequest, TResponse> ClientStreaming<TRequest, TResponse>(Method<TRequest, TResponse> method, CallOptions options, CancellationToken cancellationToken)
    {
        Calls.Add(($"{method.Kind} {method.Path}", null, options, cancellationToken));
        return null!;
    }

    public override DuplexStreamingCall<TRequest, TResponse> DuplexStreaming<TRequest, TResponse>(Method<TRequest, TResponse> method, CallOptions options, CancellationToken cancellationToken)
    {
        Calls.Add(($"{method.Kind} {method.Path}", null, options, cancellationToken));
        return null!;
    }
}
