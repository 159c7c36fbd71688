using Google.Protobuf.Reflection;
using Weir.Rpc;

namespace Weir.AspNetCore;

/// <summary>Keeps the name of each service that is mapped, and its descriptor where it has one. Filled before the host starts, read by calls from
/// then on.</summary>
internal sealed class MappedServices : ServiceBinder
{
    private readonly SortedSet<string> _names = new(StringComparer.Ordinal);
    private readonly List<ServiceDescriptor> _descriptors = [];

    /// <summary>The full names, in order.</summary>
    public IReadOnlyCollection<string> Names => _names;

    /// <summary>What is known of them from their .proto files.</summary>
    public IReadOnlyList<ServiceDescriptor> Descriptors => _descriptors;

    public override void Describe(ServiceDescriptor descriptor)
    {
        ArgumentNullException.ThrowIfNull(descriptor);
        _names.Add(descriptor.FullName);
        _descriptors.Add(descriptor);
    }

    public override void Unary<TService, TRequest, TResponse>(Method<TRequest, TResponse> method, Func<TService, TRequest, ServerCall, ValueTask<TResponse>> handler) =>
        _names.Add(method.ServiceName);

    public override void ClientStreaming<TService, TRequest, TResponse>(Method<TRequest, TResponse> method, Func<TService, IAsyncEnumerable<TRequest>, ServerCall, ValueTask<TResponse>> handler) =>
        _names.Add(method.ServiceName);

    public override void ServerStreaming<TService, TRequest, TResponse>(Method<TRequest, TResponse> method, Func<TService, TRequest, ServerCall, IAsyncEnumerable<TResponse>> handler) =>
        _names.Add(method.ServiceName);

    public override void DuplexStreaming<TService, TRequest, TResponse>(Method<TRequest, TResponse> method, Func<TService, IAsyncEnumerable<TRequest>, ServerCall, IAsyncEnumerable<TResponse>> handler) =>
        _names.Add(method.ServiceName);
}
