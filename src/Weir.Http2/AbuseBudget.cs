namespace Weir.Http2;

/// <summary>How often the peer may do what costs it little and this side more: a token bucket that holds one and a half seconds' worth.
/// Owned by the read loop.</summary>
internal sealed class AbuseBudget(TimeProvider time, string what, int perSecond)
{
    private readonly double _capacity = perSecond * 1.5;
    private double _tokens = perSecond * 1.5;
    private long _filledAt = time.GetTimestamp();

    /// <summary>Counts one.</summary>
    /// <exception cref="Http2ConnectionException">The budget is used up: ENHANCE_YOUR_CALM.</exception>
    public void Spend()
    {
        if (_tokens < 1)
        {
            var now = time.GetTimestamp();
            _tokens = Math.Min(_capacity, _tokens + (time.GetElapsedTime(_filledAt, now).TotalSeconds * perSecond));
            _filledAt = now;
            if (_tokens < 1)
            {
                throw new Http2ConnectionException(Http2ErrorCode.EnhanceYourCalm, $"The peer sent more than {perSecond} {what} a second.");
            }
        }

        _tokens--;
    }
}
