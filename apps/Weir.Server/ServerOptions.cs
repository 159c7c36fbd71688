namespace Weir.Server;

/// <summary>Settings of the server, from the configuration section "Weir" (command line: --data, --insecure).</summary>
public sealed class ServerOptions
{
    /// <summary>The folder that holds everything the server keeps; created if it is not there. Default: "weir" in the user's folder for
    /// application data (Linux: $XDG_DATA_HOME or ~/.local/share).</summary>
    public string DataDirectory { get; set; } = "";

    /// <summary>Whether to listen without TLS on an address that other machines can reach. Default: no.</summary>
    public bool Insecure { get; set; }
}
