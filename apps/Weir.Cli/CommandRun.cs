namespace Weir.Cli;

/// <summary>What one run of a command works with.</summary>
internal sealed class CommandRun(string server, CommandOutput output, CancellationToken cancellationToken) : IAsyncDisposable
{
    private RpcChannel? _channel;

    public CommandOutput Output { get; } = output;

    /// <summary>Fires on Ctrl-C.</summary>
    public CancellationToken CancellationToken { get; } = cancellationToken;

    public RpcChannel Channel => _channel ??= Connect();

    /// <summary>Reconnects without end once the server was there; without a server at the start a command fails at once. Breaks are told on stderr.</summary>
    public ReconnectOptions Reconnect => new() { RetryFirstContact = false, OnRetry = Output.Retrying };

    public ValueTask DisposeAsync() => _channel?.DisposeAsync() ?? ValueTask.CompletedTask;

    private RpcChannel Connect()
    {
        try
        {
            return RpcChannel.ForAddress(server);
        }
        catch (Exception e) when (e is ArgumentException or UriFormatException)
        {
            throw new CommandException($"\"{server}\" is no address of a server: write http://HOST:PORT, https://HOST:PORT or unix:/PATH.", ExitCode.Usage);
        }
    }
}
