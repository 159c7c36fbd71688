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
    /// <summary>What a message counts at least: keeping one costs more than its octets, and an empty one has none.</summary>
    public const int LeastBytes = 64;

    private ReplayMessage?[] _messages = new ReplayMessage?[8]; // message n at n modulo the length, which is a power of two
    private int _bytes; // counted against both limits; invariant: 0 once the call is committed
    private bool _keeps = true;

    /// <summary>How many messages were added in all.</summary>
    public long Added { get; private set; }

    /// <summary>The number of the first message that is still here.</summary>
    private long First { get; set; }

    /// <summary>Adds a message. False when it exceeds a limit: it is there, but the call can have no further attempt.</summary>
    public bool Add(ReplayMessage message)
    {
        if (Added - First == _messages.Length)
        {
            Grow();
        }

        SlotOf(Added++) = message;
        if (!_keeps)
        {
            return true;
        }

        var bytes = Math.Max(message.Payload.Length, LeastBytes);
        if (_bytes + (long)bytes > mostBytes || !budget.TryTake(bytes))
        {
            return false;
        }

        _bytes += bytes;
        return true;
    }

    /// <summary>The message with a number, from 0, or null when it is not there yet.</summary>
    public ReplayMessage? Get(long number) => number < Added ? SlotOf(number) : null;

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
            SlotOf(First++) = null;
        }
    }

    /// <summary>Takes out everything that is left.</summary>
    public ReplayMessage[] Clear()
    {
        var left = new ReplayMessage[Added - First];
        for (var i = 0; i < left.Length; i++)
        {
            left[i] = SlotOf(First + i)!;
        }

        Forget(Added);
        return left;
    }

    private ref ReplayMessage? SlotOf(long number) => ref _messages[number & (_messages.Length - 1)];

    private void Grow()
    {
        var (old, smaller) = (_messages, _messages.Length);
        _messages = new ReplayMessage?[2 * smaller];
        for (var number = First; number < Added; number++)
        {
            SlotOf(number) = old[number & (smaller - 1)];
        }
    }
}
