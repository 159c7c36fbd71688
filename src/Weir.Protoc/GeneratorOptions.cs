namespace Weir.Protoc;

/// <summary>The plugin's options, comma-separated in protoc's <c>--weir_opt</c>; the names are those that Grpc.Tools passes on.</summary>
/// <param name="Internal"><c>internal_access</c>: the services are internal instead of public.</param>
/// <param name="Server"><c>no_server</c> leaves the server bases out.</param>
/// <param name="Client"><c>no_client</c> leaves the clients out.</param>
internal sealed record GeneratorOptions(bool Internal = false, bool Server = true, bool Client = true)
{
    public static GeneratorOptions Parse(string parameter)
    {
        var options = new GeneratorOptions();
        foreach (var option in parameter.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            options = option switch
            {
                "internal_access" => options with { Internal = true },
                "no_server" => options with { Server = false },
                "no_client" => options with { Client = false },
                _ => throw new GenerationException(
                    $"Unknown option \"{option}\" for protoc-gen-weir; it knows internal_access, no_server and no_client."),
            };
        }

        return options;
    }
}
