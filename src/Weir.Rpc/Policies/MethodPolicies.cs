namespace Weir.Rpc.Policies;

/// <summary>A service config, ready to be looked up by each call, with what its calls share. Immutable, but for the throttle, which is safe for use by any
/// number of threads.</summary>
internal sealed class MethodPolicies
{
    private readonly Dictionary<MethodName, MethodConfig> _byName = [];

    /// <summary>Throws FormatException, which names the field, when the methods of the config are not right.</summary>
    public MethodPolicies(ServiceConfig config)
    {
        for (var i = 0; i < config.MethodConfigs.Count; i++)
        {
            var method = config.MethodConfigs[i];
            if (method is { RetryPolicy: not null, HedgingPolicy: not null })
            {
                throw new FormatException($"methodConfig[{i}] has a retryPolicy and a hedgingPolicy; one of them is allowed.");
            }

            for (var j = 0; j < method.Names.Count; j++)
            {
                var name = new MethodName(method.Names[j].Service ?? "", method.Names[j].Method ?? "");
                if (name.Service.Length == 0 && name.Method.Length > 0)
                {
                    throw new FormatException($"methodConfig[{i}].name[{j}] has the method \"{name.Method}\" without a service.");
                }

                if (!_byName.TryAdd(name, method))
                {
                    throw new FormatException($"methodConfig[{i}].name[{j}] \"{name.Service}/{name.Method}\" is there already.");
                }
            }
        }

        Throttle = config.RetryThrottling is { } throttling ? new RetryThrottle(throttling) : null;
    }

    /// <summary>What stops retries while too many attempts fail; null for nothing.</summary>
    public RetryThrottle? Throttle { get; }

    /// <summary>What holds for a method, or null.</summary>
    public MethodConfig? Find(string service, string method) =>
        _byName.GetValueOrDefault(new MethodName(service, method))
        ?? _byName.GetValueOrDefault(new MethodName(service, ""))
        ?? _byName.GetValueOrDefault(new MethodName("", ""));
}
