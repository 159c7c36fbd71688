namespace Weir.Protoc;

/// <summary>Writes the C# class of one service: its methods, its server base and its client.</summary>
internal sealed class ServiceWriter(CodeWriter code, Service service, GeneratorOptions options)
{
    public const string InvokerField = "_invoker";

    private const string WeirRpc = "global::Weir.Rpc";
    private const string CallParameters =
        $"{WeirRpc}.CallOptions options = default, global::System.Threading.CancellationToken cancellationToken = default";

    public void Write()
    {
        code.Summary(service.Comment is [] ? [$"The service {service.FullName}."] : service.Comment);
        code.Open($"{(options.Internal ? "internal" : "public")} static partial class {service.ClassName}");
        code.Summary("The service's full name, as on the wire.");
        code.Line($"public const string ServiceName = \"{service.FullName}\";");
        code.Line();
        code.Summary("What the .proto says of the service.");
        code.Line($"public static global::Google.Protobuf.Reflection.ServiceDescriptor Descriptor => {service.Descriptor};");
        code.Line();
        WriteMethods();
        if (options.Server)
        {
            code.Line();
            WriteServer();
        }

        if (options.Client)
        {
            code.Line();
            WriteClient();
        }

        code.Close();
    }

    private void WriteMethods()
    {
        code.Summary("What both ends know of each method.");
        code.Open("public static class Methods");
        foreach (var rpc in Spaced())
        {
            code.Summary($"The method {service.FullName}/{rpc.Name}.");
            code.Line($"public static {WeirRpc}.Method<{rpc.Request}, {rpc.Response}> {rpc.Member} {{ get; }} = new(");
            code.Line($"    {WeirRpc}.MethodKind.{rpc.Kind},");
            code.Line($"    \"{service.FullName}\",");
            code.Line($"    \"{rpc.Name}\",");
            code.Line($"    new {WeirRpc}.ProtobufMarshaller<{rpc.Request}>({rpc.Request}.Parser),");
            code.Line($"    new {WeirRpc}.ProtobufMarshaller<{rpc.Response}>({rpc.Response}.Parser));");
        }

        code.Close();
    }

    private void WriteServer()
    {
        code.Summary("What a server implements: override the methods that it has. The others answer Unimplemented.");
        code.Open($"public abstract class Server : {WeirRpc}.IRpcService");
        foreach (var rpc in service.Rpcs)
        {
            var request = rpc.StreamsRequests
                ? $"global::System.Collections.Generic.IAsyncEnumerable<{rpc.Request}> requests"
                : $"{rpc.Request} request";
            var response = rpc.StreamsResponses
                ? $"global::System.Collections.Generic.IAsyncEnumerable<{rpc.Response}>"
                : $"global::System.Threading.Tasks.ValueTask<{rpc.Response}>";
            WriteComment(rpc);
            code.Line($"public virtual {response} {rpc.Member}({request}, {WeirRpc}.ServerCall call) =>");
            var detail = $"{service.FullName}/{rpc.Name} is not implemented.";
            code.Line($"    throw new {WeirRpc}.RpcException({WeirRpc}.StatusCode.Unimplemented, \"{detail}\");");
            code.Line();
        }

        // Implemented explicitly, so that a method of the .proto may be called Bind.
        code.Open($"static void {WeirRpc}.IRpcService.Bind({WeirRpc}.ServiceBinder binder)");
        code.Line($"binder.Describe({service.Class}.Descriptor);");
        foreach (var rpc in service.Rpcs)
        {
            code.Line($"binder.{rpc.Kind}<{service.Class}.Server, {rpc.Request}, {rpc.Response}>(");
            code.Line($"    {service.Class}.Methods.{rpc.Member},");
            code.Line($"    static (service, request, call) => service.{rpc.Member}(request, call));");
        }

        code.Close();
        code.Close();
    }

    private void WriteClient()
    {
        code.Summary("Calls the service. Safe for use by any number of threads.");
        if (service.Deprecated)
            WriteObsolete(service.FullName);
        code.Open("public sealed class Client");
        code.Line($"private readonly {WeirRpc}.CallInvoker {InvokerField};");
        code.Line();
        code.Summary("Creates a client that calls through a channel, or through something in front of one.");
        code.Open($"public Client({WeirRpc}.CallInvoker invoker)");
        code.Line("global::System.ArgumentNullException.ThrowIfNull(invoker);");
        code.Line($"{InvokerField} = invoker;");
        code.Close();
        foreach (var rpc in service.Rpcs)
        {
            var types = rpc.StreamsRequests ? $"{rpc.Request}, {rpc.Response}" : rpc.Response;
            var parameters = rpc.StreamsRequests ? CallParameters : $"{rpc.Request} request, {CallParameters}";
            var arguments = rpc.StreamsRequests ? "options, cancellationToken" : "request, options, cancellationToken";
            code.Line();
            WriteComment(rpc);
            if (rpc.Deprecated)
                WriteObsolete($"{service.FullName}/{rpc.Name}");
            code.Line($"public {WeirRpc}.{rpc.Kind}Call<{types}> {rpc.Member}({parameters}) =>");
            code.Line($"    {InvokerField}.{rpc.Kind}({service.Class}.Methods.{rpc.Member}, {arguments});");
        }

        code.Close();
    }

    private void WriteComment(Rpc rpc) => code.Summary(rpc.Comment is [] ? [$"The method {service.FullName}/{rpc.Name}."] : rpc.Comment);

    // Who calls is told; who serves an old method has to go on serving it and is not.
    private void WriteObsolete(string what) => code.Line($"[global::System.Obsolete(\"{what} is deprecated in its .proto.\")]");

    private IEnumerable<Rpc> Spaced()
    {
        for (var i = 0; i < service.Rpcs.Count; i++)
        {
            if (i > 0)
                code.Line();
            yield return service.Rpcs[i];
        }
    }
}
