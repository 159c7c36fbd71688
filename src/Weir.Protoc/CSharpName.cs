using System.Collections.Frozen;
using System.Text;
using Google.Protobuf.Reflection;

namespace Weir.Protoc;

/// <summary>How names of a .proto look in C#: by the rules of protoc's own C# generator, whose classes the services refer to.</summary>
internal static class CSharpName
{
    private static readonly FrozenSet<string> Keywords = FrozenSet.ToFrozenSet(
    [
        "abstract", "as", "base", "bool", "break", "byte", "case", "catch", "char", "checked", "class", "const", "continue",
        "decimal", "default", "delegate", "do", "double", "else", "enum", "event", "explicit", "extern", "false", "finally",
        "fixed", "float", "for", "foreach", "goto", "if", "implicit", "in", "int", "interface", "internal", "is", "lock", "long",
        "namespace", "new", "null", "object", "operator", "out", "override", "params", "private", "protected", "public",
        "readonly", "ref", "return", "sbyte", "sealed", "short", "sizeof", "stackalloc", "static", "string", "struct", "switch",
        "this", "throw", "true", "try", "typeof", "uint", "ulong", "unchecked", "unsafe", "ushort", "using", "virtual", "void",
        "volatile", "while",
    ]);

    // Keywords only in some places, where a type may not have their name all the same.
    private static readonly FrozenSet<string> TypeKeywords = FrozenSet.ToFrozenSet(
    [
        "allows", "await", "dynamic", "extension", "field", "file", "nint", "notnull", "nuint", "partial", "record", "required",
        "scoped", "unmanaged", "var", "where", "yield",
    ]);

    /// <summary>The namespace of a file's classes, as the option or the package gives it; empty for none.</summary>
    public static string Namespace(FileDescriptorProto file) =>
        file.Options is { HasCsharpNamespace: true } options ? options.CsharpNamespace : UpperCamel(file.Package);

    /// <summary>The namespace as it must be written: with "@" before a part that is a keyword. Empty for none.</summary>
    public static string EscapedNamespace(FileDescriptorProto file) => string.Join('.', Namespace(file).Split('.').Select(Escape));

    /// <summary>What comes before the name of a file's class: its namespace and a dot, or nothing.</summary>
    public static string Scope(FileDescriptorProto file) => EscapedNamespace(file) is { Length: > 0 } name ? name + "." : "";

    /// <summary>The class of a service: its own name, with an underscore after it where a member of the class is called so.</summary>
    public static string ServiceClass(string service) =>
        service is "Server" or "Client" or "Methods" or "ServiceName" or "Descriptor" ? service + "_" : Escape(service);

    /// <summary>The name of the class in which protoc keeps the descriptor of a file.</summary>
    public static string ReflectionClass(FileDescriptorProto file) =>
        UpperCamel(BaseName(file.Name)).Replace(".", "", StringComparison.Ordinal) + "Reflection";

    /// <summary>An identifier as it must be written: with "@" before a keyword.</summary>
    public static string Escape(string identifier) =>
        Keywords.Contains(identifier) || TypeKeywords.Contains(identifier) ? "@" + identifier : identifier;

    /// <summary>The name of the generated file, as gRPC's own plugin gives it and Grpc.Tools expects it:
    /// "MyApiGrpc.cs" for "a/my_api.proto".</summary>
    public static string ServicesFile(string protoFile)
    {
        var words = BaseName(protoFile).Split('_', StringSplitOptions.RemoveEmptyEntries);
        return string.Concat(words.Select(w => char.ToUpperInvariant(w[0]) + w[1..])) + "Grpc.cs";
    }

    /// <summary>A package in upper camel case: an ASCII letter after anything else than a letter is made upper-case; what is no letter,
    /// digit or dot is dropped; a digit that would come first keeps an underscore before it.</summary>
    public static string UpperCamel(string package)
    {
        var result = new StringBuilder(package.Length + 1);
        var upper = true;
        foreach (var c in package)
        {
            if (char.IsAsciiLetter(c))
                result.Append(upper ? char.ToUpperInvariant(c) : c);
            else if (char.IsAsciiDigit(c) || c == '.')
                result.Append(c);
            upper = !char.IsAsciiLetter(c);
        }

        if (result.Length > 0 && char.IsAsciiDigit(result[0]) && package[0] == '_')
            result.Insert(0, '_');
        return result.ToString();
    }

    private static string BaseName(string protoFile)
    {
        var name = protoFile[(protoFile.LastIndexOf('/') + 1)..];
        return name.EndsWith(".proto", StringComparison.Ordinal) ? name[..^".proto".Length] : name;
    }
}
