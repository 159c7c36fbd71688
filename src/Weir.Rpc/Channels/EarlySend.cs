using Weir.Rpc.Protocol;

namespace Weir.Rpc.Channels;

/// <summary>A message that was sent before the call had a stream; its sender awaits the task.</summary>
internal sealed class EarlySend<TRequest>(MessagePayload<TRequest> payload, CancellationToken cancellationToken)
    : TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)
{
    /// <summary>The message.</summary>
    public MessagePayload<TRequest> Payload { get; } = payload;

    /// <summary>The sender's token: holds until the message is queued on the stream.</summary>
    public CancellationToken CancellationToken { get; } = cancellationToken;
}
