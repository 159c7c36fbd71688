namespace Weir.Rpc.Tests.Support;

/// <summary>A service with one method of each kind, whose handlers are set by each test.</summary>
internal sealed class TestService : IRpcService
{
    public static readonly Method<string, string> UnaryMethod = Create(MethodKind.Unary, "Unary");
    public static readonly Method<string, string> ClientMethod = Create(MethodKind.ClientStreaming, "Client");
    public static readonly Method<string, string> ServerMethod = Create(MethodKind.ServerStreaming, "Server");
    public static readonly Method<string, string> DuplexMethod = Create(MethodKind.DuplexStreaming, "Duplex");

    public Func<string, ServerCall, ValueTask<string>> OnUnary { get; set; } = (_, _) => throw new NotSupportedException();

    public Func<IAsyncEnumerable<string>, ServerCall, ValueTask<string>> OnClient { get; set; } = (_, _) => throw new NotSupportedException();

    public Func<string, ServerCall, IAsyncEnumerable<string>> OnServer { get; set; } = (_, _) => throw new NotSupportedException();

    public Func<IAsyncEnumerable<string>, ServerCall, IAsyncEnumerable<string>> OnDuplex { get; set; } = (_, _) => throw new NotSupportedException();

    public static void Bind(ServiceBinder binder)
    {
        binder.Unary<TestService, string, string>(UnaryMethod, (service, request, call) => service.OnUnary(request, call));
        binder.ClientStreaming<TestService, string, string>(ClientMethod, (service, requests, call) => service.OnClient(requests, call));
        binder.ServerStreaming<TestService, string, string>(ServerMethod, (service, request, call) => service.OnServer(request, call));
        binder.DuplexStreaming<TestService, string, string>(DuplexMethod, (service, requests, call) => service.OnDuplex(requests, call));
    }

    private static Method<string, string> Create(MethodKind kind, string name) =>
        new(kind, "test.Service", name, TextMarshaller.Instance, TextMarshaller.Instance);
}
