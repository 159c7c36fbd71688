using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Hosting;
using Weir.AspNetCore.Reflection;

namespace Weir.AspNetCore;

/// <summary>Server reflection of gRPC: tools such as grpcurl learn from the server what it serves.</summary>
public static class RpcReflectionExtensions
{
    /// <summary>Serves reflection: see <see cref="MapRpcReflection(IHost)"/>.</summary>
    public static WebApplication MapRpcReflection(this WebApplication app)
    {
        ((IHost)app).MapRpcReflection();
        return app;
    }

    /// <summary>Serves <c>grpc.reflection.v1.ServerReflection</c> and <c>grpc.reflection.v1alpha.ServerReflection</c> over every service that the
    /// application maps, before or after this. It tells the whole contract to whoever may connect.</summary>
    /// <exception cref="InvalidOperationException"><c>AddWeir</c> was not called, or reflection is mapped already.</exception>
    public static IHost MapRpcReflection(this IHost host) => host.MapRpc<ReflectionService>().MapRpc<AlphaReflectionService>();
}
