namespace Weir.Http2;

/// <summary>How a server keeps its clients from sending PINGs too often (gRFC A8): one that comes too soon after the one before is a strike, and whatever
/// this side sends on a stream wipes the strikes away, because clients measure the round trip when data arrives. Owned by the read loop.</summary>
internal sealed class PingStrikes(Http2Options options)
{
    /// <summary>The least interval while no stream is open, unless PINGs are permitted then.</summary>
    private static readonly TimeSpan IntervalWithoutStreams = TimeSpan.FromHours(2);

    private long _lastSent;
    private long? _lastAt;
    private int _strikes;

    /// <summary>Counts a PING.</summary>
    /// <param name="sent">A number that is another whenever this side has sent HEADERS or DATA.</param>
    /// <param name="isIdle">Whether no stream is open.</param>
    /// <exception cref="Http2ConnectionException">There were too many: ENHANCE_YOUR_CALM.</exception>
    public void Count(long sent, bool isIdle)
    {
        if (options.MinPingInterval == TimeSpan.Zero)
        {
            return;
        }

        var now = options.TimeProvider.GetTimestamp();
        var since = _lastAt is { } last ? options.TimeProvider.GetElapsedTime(last, now) : TimeSpan.MaxValue;
        _lastAt = now;
        if (sent != _lastSent)
        {
            (_lastSent, _strikes) = (sent, 0);
            return;
        }

        if (since < (isIdle && !options.PermitPingsWithoutStreams ? IntervalWithoutStreams : options.MinPingInterval) && ++_strikes > options.MaxPingStrikes)
        {
            throw new Http2ConnectionException(Http2ErrorCode.EnhanceYourCalm, KeepAlive.TooManyPings);
        }
    }
}
