namespace Weir.Rpc.Policies;

/// <summary>How many octets the calls of one channel may keep for further attempts. Safe for use by any number of threads.</summary>
internal sealed class ReplayBudget(long mostBytes)
{
    private long _leftBytes = mostBytes;

    /// <summary>Takes some. False when there are not enough left.</summary>
    public bool TryTake(int bytes)
    {
        if (Interlocked.Add(ref _leftBytes, -bytes) >= 0)
        {
            return true;
        }

        Release(bytes);
        return false;
    }

    /// <summary>Gives some back.</summary>
    public void Release(int bytes) => Interlocked.Add(ref _leftBytes, bytes);
}
