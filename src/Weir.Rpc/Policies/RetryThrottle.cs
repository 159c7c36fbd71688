namespace Weir.Rpc.Policies;

/// <summary>The bucket of tokens of one channel (gRFC A6, "Throttling Retry Attempts and Hedged RPCs"), in thousandths. Safe for use by any number of threads.</summary>
internal sealed class RetryThrottle
{
    private readonly int _most;
    private readonly int _gain;
    private int _tokens;

    public RetryThrottle(RetryThrottling settings)
    {
        _most = (int)(settings.MaxTokens * 1000);
        _gain = (int)Math.Min(settings.TokenRatio * 1000, _most);
        _tokens = _most;
    }

    /// <summary>Whether an attempt may follow one that failed.</summary>
    public bool IsOpen => Volatile.Read(ref _tokens) > _most / 2;

    /// <summary>An attempt has failed in a way that asks for another.</summary>
    public void OnFailure() => Add(-1000);

    /// <summary>A call has its response.</summary>
    public void OnSuccess() => Add(_gain);

    private void Add(int tokens)
    {
        int before, after;
        do
        {
            before = Volatile.Read(ref _tokens);
            after = Math.Clamp(before + tokens, 0, _most);
        }
        while (Interlocked.CompareExchange(ref _tokens, after, before) != before);
    }
}
