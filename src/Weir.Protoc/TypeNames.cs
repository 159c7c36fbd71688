using Google.Protobuf.Reflection;

namespace Weir.Protoc;

/// <summary>The C# names of everything that the files of a request declare.</summary>
internal sealed class TypeNames
{
    private readonly Dictionary<string, string> _messages = [];
    private readonly Dictionary<string, List<string>> _owners = [];

    public TypeNames(IEnumerable<FileDescriptorProto> files)
    {
        foreach (var file in files)
        {
            var scope = CSharpName.Scope(file);
            var proto = file.Package.Length == 0 ? "." : $".{file.Package}.";
            foreach (var message in file.MessageType)
            {
                Declare(scope + CSharpName.Escape(message.Name), $"message {message.Name} of {file.Name}");
                AddMessage(message, proto, "global::" + scope);
            }

            foreach (var type in file.EnumType)
                Declare(scope + CSharpName.Escape(type.Name), $"enum {type.Name} of {file.Name}");
            foreach (var service in file.Service)
                Declare(scope + CSharpName.ServiceClass(service.Name), Owner(service, file));
            Declare(scope + CSharpName.ReflectionClass(file), $"protoc's descriptor class of {file.Name}");
            for (var dot = scope.IndexOf('.'); dot >= 0; dot = scope.IndexOf('.', dot + 1))
                Declare(scope[..dot], $"the C# namespace of {file.Name}");
        }
    }

    /// <summary>The C# class of a message, "global::" included, by its full name in the .proto, leading dot included;
    /// null when no file declares it.</summary>
    public string? Message(string protoName) => _messages.GetValueOrDefault(protoName);

    /// <summary>What else has the name of a service's C# class; null when the name is the service's own.</summary>
    public string? Clash(string csharpName, ServiceDescriptorProto service, FileDescriptorProto file) =>
        _owners[csharpName].Find(owner => owner != Owner(service, file));

    private static string Owner(ServiceDescriptorProto service, FileDescriptorProto file) => $"service {service.Name} of {file.Name}";

    private void Declare(string csharpName, string owner)
    {
        if (_owners.TryGetValue(csharpName, out var owners))
            owners.Add(owner);
        else
            _owners.Add(csharpName, [owner]);
    }

    private void AddMessage(DescriptorProto message, string proto, string csharp)
    {
        var name = csharp + CSharpName.Escape(message.Name);
        _messages[proto + message.Name] = name;
        foreach (var nested in message.NestedType)
            AddMessage(nested, $"{proto}{message.Name}.", $"{name}.Types.");
    }
}
