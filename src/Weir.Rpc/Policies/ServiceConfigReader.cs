using System.Globalization;
using System.Text.Json;

namespace Weir.Rpc.Policies;

/// <summary>Reads a service config's JSON form. Every error names the field it is about.</summary>
internal static class ServiceConfigReader
{
    public static ServiceConfig Read(string json)
    {
        JsonDocument document;
        try
        {
            document = JsonDocument.Parse(json);
        }
        catch (JsonException error)
        {
            throw new FormatException($"The service config is not JSON: {error.Message}", error);
        }

        using (document)
        {
            var root = Field.Root(document.RootElement);
            var config = new ServiceConfig
            {
                MethodConfigs = [.. root.Items("methodConfig").Select(ReadMethod)],
                RetryThrottling = root.Get("retryThrottling") is { } throttling ? ReadThrottling(throttling) : null,
                LoadBalancingPolicies = ReadPolicies(root),
            };
            _ = new MethodPolicies(config); // checks what is between the methods
            return config;
        }
    }

    private static List<string> ReadPolicies(Field root)
    {
        List<string> names = [.. root.Items("loadBalancingConfig").Select(static item => item.SingleName())];
        if (names.Count == 0 && root.Get("loadBalancingPolicy") is { } old)
        {
            names.Add(old.Text().ToLowerInvariant());
        }

        return names;
    }

    private static MethodConfig ReadMethod(Field method) => method.Make(() => new MethodConfig
    {
        Names = [.. method.Items("name").Select(static name => name.Make(() => ReadName(name)))],
        Timeout = method.Get("timeout")?.Span(),
        WaitForReady = method.Get("waitForReady")?.Flag(),
        MaxRequestMessageBytes = method.Get("maxRequestMessageBytes")?.Bytes(),
        MaxResponseMessageBytes = method.Get("maxResponseMessageBytes")?.Bytes(),
        RetryPolicy = method.Get("retryPolicy") is { } retry ? ReadRetry(retry) : null,
        HedgingPolicy = method.Get("hedgingPolicy") is { } hedging ? ReadHedging(hedging) : null,
    });

    private static MethodName ReadName(Field name) => new(name.Get("service")?.Text() ?? "", name.Get("method")?.Text() ?? "");

    private static RetryPolicy ReadRetry(Field policy) => policy.Make(() => new RetryPolicy
    {
        MaxAttempts = policy.Need("maxAttempts").Whole(),
        InitialBackoff = policy.Need("initialBackoff").Span(),
        MaxBackoff = policy.Need("maxBackoff").Span(),
        BackoffMultiplier = policy.Need("backoffMultiplier").Number(),
        RetryableStatusCodes = policy.Need("retryableStatusCodes").Codes(),
    });

    private static HedgingPolicy ReadHedging(Field policy) => policy.Make(() => new HedgingPolicy
    {
        MaxAttempts = policy.Need("maxAttempts").Whole(),
        HedgingDelay = policy.Get("hedgingDelay")?.Span() ?? TimeSpan.Zero,
        NonFatalStatusCodes = policy.Get("nonFatalStatusCodes")?.Codes() ?? [],
    });

    private static RetryThrottling ReadThrottling(Field throttling) => throttling.Make(() => new RetryThrottling
    {
        MaxTokens = throttling.Need("maxTokens").Number(),
        TokenRatio = throttling.Need("tokenRatio").Number(),
    });

    /// <summary>A value with the way to it.</summary>
    private readonly struct Field(string path, JsonElement value)
    {
        public static Field Root(JsonElement value) => value.ValueKind == JsonValueKind.Object
            ? new Field("", value)
            : throw new FormatException($"The service config is a JSON {value.ValueKind}; it must be an object.");

        public Field? Get(string name)
        {
            if (value.ValueKind != JsonValueKind.Object)
            {
                throw Wrong("an object");
            }

            return value.TryGetProperty(name, out var found) && found.ValueKind != JsonValueKind.Null
                ? new Field(path.Length == 0 ? name : $"{path}.{name}", found)
                : null;
        }

        public Field Need(string name) => Get(name) ?? throw new FormatException($"{path}.{name} is missing.");

        public Field[] Items(string name) => Get(name)?.Items() ?? [];

        public string Text() => value.ValueKind == JsonValueKind.String ? value.GetString()! : throw Wrong("a string");

        public bool Flag() => value.ValueKind is JsonValueKind.True or JsonValueKind.False ? value.GetBoolean() : throw Wrong("true or false");

        public double Number() => value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var number) ? number : throw Wrong("a number");

        public int Whole() => value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var number) ? number : throw Wrong("a whole number");

        // A 64-bit number is a string in proto's JSON, and a number is taken too.
        public int Bytes()
        {
            var text = value.ValueKind == JsonValueKind.String ? value.GetString()! : value.GetRawText();
            return long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var bytes)
                ? (int)Math.Min(bytes, RpcLimits.LargestMessageBytes)
                : throw Wrong("a number of bytes");
        }

        /// <summary>A span in proto's JSON: seconds, up to nine decimals, "s".</summary>
        public TimeSpan Span()
        {
            var text = Text();
            if (text.Length < 2 || text[^1] != 's'
                || !decimal.TryParse(text.AsSpan(..^1), NumberStyles.AllowDecimalPoint | NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var seconds)
                || Math.Abs(seconds) > 315_576_000_000)
            {
                throw Wrong("a span such as \"1.5s\"");
            }

            return TimeSpan.FromTicks((long)(seconds * TimeSpan.TicksPerSecond));
        }

        public HashSet<StatusCode> Codes() => [.. Items().Select(static code => code.Code())];

        /// <summary>The name of the one field of an object.</summary>
        public string SingleName()
        {
            var fields = value.ValueKind == JsonValueKind.Object ? value.EnumerateObject().ToArray() : [];
            return fields.Length == 1 ? fields[0].Name : throw Wrong("an object with one field, the policy's name");
        }

        /// <summary>Makes an object whose setters check; what they find wrong becomes this field's error.</summary>
        public T Make<T>(Func<T> make)
        {
            try
            {
                return make();
            }
            catch (ArgumentException error) when (error.ParamName is { Length: > 0 } name)
            {
                throw new FormatException($"{path}.{char.ToLowerInvariant(name[0])}{name[1..]} is not right: {error.Message}", error);
            }
        }

        private Field[] Items()
        {
            var at = path;
            return value.ValueKind == JsonValueKind.Array
                ? value.EnumerateArray().Select((item, index) => new Field($"{at}[{index}]", item)).ToArray()
                : throw Wrong("an array");
        }

        private StatusCode Code()
        {
            if (value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var number) && Enum.IsDefined((StatusCode)number))
            {
                return (StatusCode)number;
            }

            var name = value.ValueKind == JsonValueKind.String ? value.GetString()!.Replace("_", "", StringComparison.Ordinal) : "";
            return name.Length > 0 && !char.IsAsciiDigit(name[0]) && Enum.TryParse<StatusCode>(name, ignoreCase: true, out var code) ? code : throw Wrong("a status code such as \"UNAVAILABLE\" or 14");
        }

        private FormatException Wrong(string expected) => new($"{path} is {value.GetRawText()}; it must be {expected}.");
    }
}
