namespace Weir.Server.Hosting;

/// <summary>The server cannot start; the message is one sentence for whoever started it.</summary>
public sealed class ServerStartException(int exitCode, string message, Exception? innerException = null) : Exception(message, innerException)
{
    /// <summary>1: it failed; 2: it was asked for something that is not allowed.</summary>
    public int ExitCode { get; } = exitCode;
}
