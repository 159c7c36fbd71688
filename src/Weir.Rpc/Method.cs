namespace Weir.Rpc;

/// <summary>The four kinds of call.</summary>
public enum MethodKind
{
    /// <summary>One request, one response.</summary>
    Unary,

    /// <summary>A stream of requests, one response.</summary>
    ClientStreaming,

    /// <summary>One request, a stream of responses.</summary>
    ServerStreaming,

    /// <summary>Two streams at the same time.</summary>
    DuplexStreaming,
}

/// <summary>What both ends know of one method. Immutable.</summary>
public sealed class Method<TRequest, TResponse>(MethodKind kind, string serviceName, string name, Marshaller<TRequest> requests, Marshaller<TResponse> responses)
    where TRequest : class
    where TResponse : class
{
    /// <summary>Which of the four kinds.</summary>
    public MethodKind Kind { get; } = kind;

    /// <summary>The service's full name, package included: "weir.v1.Users".</summary>
    public string ServiceName { get; } = serviceName;

    /// <summary>The method's name: "GetUserList".</summary>
    public string Name { get; } = name;

    /// <summary>The path on the wire: "/weir.v1.Users/GetUserList".</summary>
    public string Path { get; } = $"/{serviceName}/{name}";

    /// <summary>The requests' marshaller.</summary>
    public Marshaller<TRequest> Requests { get; } = requests;

    /// <summary>The responses' marshaller.</summary>
    public Marshaller<TResponse> Responses { get; } = responses;
}
