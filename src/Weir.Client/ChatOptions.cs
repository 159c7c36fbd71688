namespace Weir.Client;

/// <summary>Settings of a chat session. Immutable.</summary>
public sealed class ChatOptions
{
    /// <summary>Messages of the room after this sequence come first, then those that arrive. Default: only those that arrive.</summary>
    public long? ResumeAfter { get; init; }

    /// <summary>What to do when the connection breaks. Default <see cref="ReconnectOptions.Default"/>.</summary>
    public ReconnectOptions Reconnect { get; init; } = ReconnectOptions.Default;
}
