using Google.Protobuf.Reflection;

namespace Weir.Protoc;

/// <summary>One service of a file, as the writers need it.</summary>
/// <param name="FullName">Its name on the wire, package included.</param>
/// <param name="ClassName">The name of its C# class.</param>
/// <param name="Class">The class as it is referred to, "global::" included.</param>
/// <param name="Descriptor">The expression of its descriptor.</param>
/// <param name="Comment">The lines of its documentation.</param>
/// <param name="Deprecated">Whether the .proto marks it so.</param>
/// <param name="Rpcs">Its methods in the order of the .proto.</param>
internal sealed record Service(
    string FullName,
    string ClassName,
    string Class,
    string Descriptor,
    string[] Comment,
    bool Deprecated,
    IReadOnlyList<Rpc> Rpcs)
{
    // A C# member cannot have the name of its class, nor that of another member.
    private static readonly string[] TakenMembers = ["Server", "Client", "Methods", "Descriptor", ServiceWriter.InvokerField];

    public static Service From(FileDescriptorProto file, int index, SourceComments comments, TypeNames types)
    {
        var service = file.Service[index];
        var fullName = file.Package.Length == 0 ? service.Name : $"{file.Package}.{service.Name}";
        var className = CSharpName.ServiceClass(service.Name);
        var qualified = CSharpName.Scope(file) + className;
        if (types.Clash(qualified, service, file) is { } other)
        {
            throw new GenerationException(
                $"{file.Name}: service {fullName} cannot be generated: its C# class {qualified} has the name of {other}. " +
                "Give one of the files another csharp_namespace.");
        }

        var members = new HashSet<string>(TakenMembers);
        members.UnionWith(service.Method.Select(m => m.Name).Except(TakenMembers));
        var rpcs = service.Method.Select((method, i) => new Rpc(
            method.Name,
            Member(method.Name, members),
            method.ClientStreaming,
            method.ServerStreaming,
            Message(method.InputType, method),
            Message(method.OutputType, method),
            comments.Method(index, i),
            method.Options?.Deprecated ?? false));
        var deprecated = service.Options?.Deprecated ?? false;
        var descriptor = $"global::{CSharpName.Scope(file)}{CSharpName.ReflectionClass(file)}.Descriptor.Services[{index}]";
        return new Service(fullName, className, "global::" + qualified, descriptor, comments.Service(index), deprecated, [.. rpcs]);

        string Message(string type, MethodDescriptorProto method) => types.Message(type) ?? throw new GenerationException(
            $"{file.Name}: rpc {fullName}.{method.Name} cannot be generated: no file of the request declares its message {type}.");
    }

    // As protoc does with a field that has its message's name: an underscore comes after it.
    private static string Member(string rpc, HashSet<string> members)
    {
        if (!TakenMembers.Contains(rpc))
            return CSharpName.Escape(rpc);
        var name = rpc;
        while (!members.Add(name))
            name += "_";
        return name;
    }
}
