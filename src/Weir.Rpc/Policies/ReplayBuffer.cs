namespace Weir.Rpc.Policies;

/// <summary>A request that was given to a call which may have several attempts.</summary>
internal sealed class ReplayMessage(byte[] payload, bool uncompressed) : TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)
{
    /// <summary>The message, serialised.</summary>
    public byte[] Payload { get; } = payload;

    /// <summary>Whether every attempt sends it as it is, although the call's messages are compressed.</summary>
    public bool Uncompressed { get; } = uncompressed;

    /// <summary>Whether an attempt has begun to send it; under the call's lock.</summary>
    public bool IsTaken { get; set; }

    /// <summary>Whether its sender does not want it sent any more; under the call's lock.</summary>
    public bool IsWithdrawn { get; set; }
}

/// <summary>The requests of one call, in order. All of them are kept until the call is committed to one attempt; from then on those that this one has yet to send.
/// Guarded by the call's lock.</summary>
internal sealed class ReplayBuffer(ReplayBudget budget, int mostBytes)
{
    private readonly Queue<ReplayMessage> _messages = [];
    private int _bytes; // counted against both limits; invariant: 0 once the call is committed
    private bool _keeps = true;

    /// <summary>How many messages were added in all.</summary>
    public long Added { get; private set; }

    private long First => Added - _messages.Count;

    /// <summary>Adds a message. False when it exceeds a limit: it is there, but the call can have no further attempt.</summary>
    public bool Add(ReplayMessage message)
    {
        _messages.Enqueue(message);
        Added++;
        if (!_keeps)
        {
            return true;
        }

        if (_bytes + (long)message.Payload.Length > mostBytes || !budget.TryTake(message.Payload.Length))
        {
            return false;
        }

        _bytes += message.Payload.Length;
        return true;
    }

    /// <summary>The message with a number, from 0, or null when it is not there yet.</summary>
    public ReplayMessage? Get(long number) => number < Added ? _messages.ElementAt((int)(number - First)) : null;

    /// <summary>The call is committed: messages below a number are not needed again.</summary>
    public void Forget(long below)
    {
        if (_keeps)
        {
            _keeps = false;
            budget.Release(_bytes);
            _bytes = 0;
        }

        while (First < below)
        {
            _messages.Dequeue();
        }
    }

    /// <summary>Takes out everything that is left.</summary>
    public ReplayMessage[] Clear()
    {
        ReplayMessage[] left = [.. _messages];
        Forget(Added);
        return left;
    }
}
