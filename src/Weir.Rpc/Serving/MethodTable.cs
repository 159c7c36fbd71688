namespace Weir.Rpc.Serving;

/// <summary>The methods of a server by path. Filled before the first connection, read by all connections from then on.</summary>
internal sealed class MethodTable
{
    private readonly Dictionary<string, BoundMethod> _byPath = new(StringComparer.Ordinal);
    private readonly HashSet<string> _services = new(StringComparer.Ordinal);

    /// <summary>Adds a method. Throws InvalidOperationException when its path is taken.</summary>
    public void Add(BoundMethod method, string serviceName)
    {
        if (!_byPath.TryAdd(method.Path, method))
        {
            throw new InvalidOperationException($"The path {method.Path} is taken by another service.");
        }

        _services.Add(serviceName);
    }

    /// <summary>The method of a path, or null.</summary>
    public BoundMethod? Find(string path) => _byPath.GetValueOrDefault(path);

    /// <summary>The status of a call whose path has no method: names what is unknown.</summary>
    public Status Explain(string path)
    {
        var slash = path.LastIndexOf('/');
        if (slash <= 0 || path[0] != '/')
        {
            return new Status(StatusCode.Unimplemented, $"the path \"{path}\" is not of the form \"/service/method\"");
        }

        var service = path[1..slash];
        return new Status(StatusCode.Unimplemented, _services.Contains(service)
            ? $"unknown method {path[(slash + 1)..]} of service {service}"
            : $"unknown service {service}");
    }
}
