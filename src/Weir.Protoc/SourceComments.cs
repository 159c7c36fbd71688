using Google.Protobuf.Reflection;

namespace Weir.Protoc;

/// <summary>The comments beside the services and methods of one file.</summary>
internal sealed class SourceComments
{
    private readonly Dictionary<(int Service, int Method), string[]> _comments = [];

    public SourceComments(FileDescriptorProto file)
    {
        foreach (var location in file.SourceCodeInfo?.Location ?? [])
        {
            // A path is field numbers and indexes from the file down: [service, i] or [service, i, method, j].
            (int, int)? key = location.Path switch
            {
                [FileDescriptorProto.ServiceFieldNumber, var service] => (service, -1),
                [FileDescriptorProto.ServiceFieldNumber, var service, ServiceDescriptorProto.MethodFieldNumber, var method] =>
                    (service, method),
                _ => null,
            };
            if (key is { } found && Lines(location) is { Length: > 0 } lines)
                _comments[found] = lines;
        }
    }

    /// <summary>The lines of a service's comment; none when it has no comment.</summary>
    public string[] Service(int service) => _comments.GetValueOrDefault((service, -1), []);

    /// <summary>The lines of a method's comment; none when it has no comment.</summary>
    public string[] Method(int service, int method) => _comments.GetValueOrDefault((service, method), []);

    private static string[] Lines(SourceCodeInfo.Types.Location location)
    {
        var leading = Lines(location.LeadingComments);
        var trailing = Lines(location.TrailingComments);
        return leading.Length == 0 ? trailing : trailing.Length == 0 ? leading : [.. leading, "", .. trailing];
    }

    // C# ends a line, and with it a comment, at more characters than a .proto does.
    private static string[] Lines(string comment)
    {
        var lines = comment.Split(["\r\n", "\n", "\r", "\u0085", "\u2028", "\u2029"], StringSplitOptions.None)
            .Select(line => (line.StartsWith(' ') ? line[1..] : line).TrimEnd())
            .ToList();
        var first = lines.FindIndex(l => l.Length > 0);
        return first < 0 ? [] : [.. lines[first..(lines.FindLastIndex(l => l.Length > 0) + 1)]];
    }
}
