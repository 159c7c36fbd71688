namespace Weir.Http2;

/// <summary>The PINGs this side sent that are not answered yet. Guarded by the connection's lock.</summary>
internal sealed class PingLedger(TimeProvider time)
{
    private const int MostUnderWay = 100;

    private readonly Dictionary<long, (long SentAt, TaskCompletionSource<TimeSpan> Answer)> _underWay = [];
    private long _last;

    /// <summary>Counts a PING as sent; its opaque data identifies the answer.</summary>
    public Task<TimeSpan> Add(out long opaque)
    {
        if (_underWay.Count == MostUnderWay)
        {
            throw new InvalidOperationException($"{MostUnderWay} PINGs are under way; one more is not sent before an answer comes.");
        }

        opaque = ++_last;
        var answer = new TaskCompletionSource<TimeSpan>(TaskCreationOptions.RunContinuationsAsynchronously);
        _underWay.Add(opaque, (time.GetTimestamp(), answer));
        return answer.Task;
    }

    /// <summary>Takes an answer; false when it is to no PING of ours.</summary>
    public bool Complete(long opaque)
    {
        if (!_underWay.Remove(opaque, out var ping))
        {
            return false;
        }

        ping.Answer.SetResult(time.GetElapsedTime(ping.SentAt));
        return true;
    }

    public void Fail(Exception exception)
    {
        foreach (var (_, answer) in _underWay.Values)
        {
            answer.SetException(exception);
        }

        _underWay.Clear();
    }
}
