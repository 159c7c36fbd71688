namespace Weir.Http2;

/// <summary>Settings and limits of one end of a connection. Every limit is on by default. Not safe to change once a connection uses it.</summary>
public sealed class Http2Options
{
    /// <summary>The time source of every timeout and rate. Default: the system's.</summary>
    public TimeProvider TimeProvider { get; set; } = TimeProvider.System;

    /// <summary>Streams that the peer may have open at once; one more is refused with REFUSED_STREAM. 1 to 2,147,483,647. Default 100.</summary>
    public int MaxConcurrentStreams { get; set => field = Check(value, 1, int.MaxValue); } = 100;

    /// <summary>The largest header list accepted, in octets as RFC 7541 §4.1 counts them. 1 KiB to 16 MiB. Default 32 KiB.</summary>
    public int MaxHeaderListBytes { get; set => field = Check(value, 1024, 16 << 20); } = 32 * 1024;

    /// <summary>The size of the header table the peer may use, in octets. 0 to 64 KiB. Default 4 KiB.</summary>
    public int HeaderTableBytes { get; set => field = Check(value, 0, 65_536); } = Http2Protocol.DefaultHeaderTableBytes;

    /// <summary>CONTINUATION frames that may follow one HEADERS frame. 0 to 1,000. Default 16.</summary>
    public int MaxContinuationFrames { get; set => field = Check(value, 0, 1000); } = 16;

    /// <summary>The largest frame accepted, in octets of payload. 16,384 to 16,777,215. Default 128 KiB.</summary>
    public int MaxFrameBytes { get; set => field = Check(value, Http2Protocol.DefaultMaxFrameBytes, Http2Protocol.LargestMaxFrameBytes); } = 128 * 1024;

    /// <summary>Octets that one stream may have received and not yet consumed: the window a stream starts with. 1 to 2,147,483,647. Default 1 MiB.</summary>
    public int StreamWindowBytes { get; set => field = Check(value, 1, int.MaxValue); } = 1024 * 1024;

    /// <summary>How large a stream's window may become, in octets. It grows while its reader keeps up and the window is what holds the peer back, to twice what
    /// passes in a round trip (the bandwidth-delay product, measured with a few PINGs); a stream whose reader is slow keeps the window it has.
    /// 1 to 2,147,483,647; no more than <see cref="StreamWindowBytes"/> means that windows never grow. Default 16 MiB: a third more than
    /// 1 Gbit/s carries in a round trip of 100 ms.</summary>
    public int MaxStreamWindowBytes { get; set => field = Check(value, 1, int.MaxValue); } = 16 * 1024 * 1024;

    /// <summary>Octets that all streams together may have received and not yet consumed, to begin with. 65,535 to 2,147,483,647. Default 8 MiB.</summary>
    public int ConnectionWindowBytes { get; set => field = Check(value, Http2Protocol.DefaultWindowBytes, int.MaxValue); } = 8 * 1024 * 1024;

    /// <summary>How large the connection's window may become, in octets: what a connection can hold in memory at most, besides what readers wait for.
    /// It grows as a stream's does, with the largest of them (to twice its window), and when streams that nobody reads leave room for less than one
    /// more. 65,535 to 2,147,483,647; no more than <see cref="ConnectionWindowBytes"/> means that it never grows. Default 32 MiB, twice
    /// <see cref="MaxStreamWindowBytes"/>.</summary>
    public int MaxConnectionWindowBytes { get; set => field = Check(value, Http2Protocol.DefaultWindowBytes, int.MaxValue); } = 32 * 1024 * 1024;

    /// <summary>Octets gathered for the next write before senders wait. 16 KiB to 16 MiB. Default 256 KiB.</summary>
    public int OutputHighWaterBytes { get; set => field = Check(value, 16 * 1024, 16 << 20); } = 256 * 1024;

    /// <summary>Senders that may wait on one stream; one more gets an InvalidOperationException. 1 to 1,000,000. Default 1,000.</summary>
    public int MaxWaitingSenders { get; set => field = Check(value, 1, 1_000_000); } = 1000;

    /// <summary>Answers to the peer's frames (acknowledgements, resets) that may wait for a peer that does not read. 10 to 1,000,000. Default 1,000.</summary>
    public int MaxQueuedControlFrames { get; set => field = Check(value, 10, 1_000_000); } = 1000;

    /// <summary>RST_STREAM frames the peer may send a second, and half as many again in one burst; a client that cancels as fast as it can sends more
    /// than ten thousand. 1 to 1,000,000. Default 20,000.</summary>
    public int MaxResetsPerSecond { get; set => field = Check(value, 1, 1_000_000); } = 20_000;

    /// <summary>PING frames the peer may send a second (some peers measure the round trip with every read). 1 to 1,000,000. Default 10,000.</summary>
    public int MaxPingsPerSecond { get; set => field = Check(value, 1, 1_000_000); } = 10_000;

    /// <summary>SETTINGS frames the peer may send a second. 1 to 1,000,000. Default 100.</summary>
    public int MaxSettingsPerSecond { get; set => field = Check(value, 1, 1_000_000); } = 100;

    /// <summary>Frames without effect the peer may send a second: DATA without octets or END_STREAM, PRIORITY, unknown types, frames on closed streams.
    /// 1 to 1,000,000. Default 10,000.</summary>
    public int MaxEmptyFramesPerSecond { get; set => field = Check(value, 1, 1_000_000); } = 10_000;

    /// <summary>How long the peer may take for its preface and SETTINGS, and to acknowledge ours. 100 ms to 10 minutes. Default 10 s.</summary>
    public TimeSpan HandshakeTimeout { get; set => field = Check(value, TimeSpan.FromMilliseconds(100), TimeSpan.FromMinutes(10)); } = TimeSpan.FromSeconds(10);

    /// <summary>How long a connection may be without streams before it is closed gracefully. 1 s or more; <see cref="Timeout.InfiniteTimeSpan"/>: for ever.
    /// Default 10 minutes.</summary>
    public TimeSpan IdleTimeout
    {
        get;
        set => field = value == Timeout.InfiniteTimeSpan ? value : Check(value, TimeSpan.FromSeconds(1), TimeSpan.FromDays(24));
    } = TimeSpan.FromMinutes(10);

    /// <summary>How long nothing may come from the peer before it is sent a PING, up to an eighth more. 1 s to 24 days;
    /// <see cref="Timeout.InfiniteTimeSpan"/>: never. A client takes 10 s for less, and doubles the time when a server has had too many PINGs.
    /// Default: null, which is 2 hours on a server and never on a client. While it is on, clients' and servers' TCP sockets have KeepAliveTimeout as their
    /// TCP_USER_TIMEOUT on Linux.</summary>
    public TimeSpan? KeepAliveTime
    {
        get;
        set => field = value is { } time && time != Timeout.InfiniteTimeSpan ? Check(time, TimeSpan.FromSeconds(1), TimeSpan.FromDays(24)) : value;
    }

    /// <summary>How long nothing may come after such a PING before the connection is lost. 1 s to 24 days. Default 20 s.</summary>
    public TimeSpan KeepAliveTimeout { get; set => field = Check(value, TimeSpan.FromSeconds(1), TimeSpan.FromDays(24)); } = TimeSpan.FromSeconds(20);

    /// <summary>Whether a client sends such PINGs also while it has no stream open (a server always does). Default false.</summary>
    public bool KeepAliveWithoutStreams { get; set; }

    /// <summary>On a server, how long a client must leave between two PINGs (2 hours while it has no stream open, unless
    /// <see cref="PermitPingsWithoutStreams"/>). One that comes too soon is a strike; what this side sends on a stream wipes the strikes away.
    /// 0 (no such rule) to 24 days. Default 5 minutes.</summary>
    public TimeSpan MinPingInterval { get; set => field = Check(value, TimeSpan.Zero, TimeSpan.FromDays(24)); } = TimeSpan.FromMinutes(5);

    /// <summary>Whether <see cref="MinPingInterval"/> holds also while a client has no stream open. Default false.</summary>
    public bool PermitPingsWithoutStreams { get; set; }

    /// <summary>Strikes that a client may have; with one more its connection is closed with ENHANCE_YOUR_CALM, "too_many_pings". 0 to 1,000. Default 2.</summary>
    public int MaxPingStrikes { get; set => field = Check(value, 0, 1000); } = 2;

    /// <summary>On a server, how old a connection becomes, a tenth more or less, before it takes no new streams. 1 s to 20 days;
    /// <see cref="Timeout.InfiniteTimeSpan"/>, the default: without limit.</summary>
    public TimeSpan MaxConnectionAge
    {
        get;
        set => field = value == Timeout.InfiniteTimeSpan ? value : Check(value, TimeSpan.FromSeconds(1), TimeSpan.FromDays(20));
    } = Timeout.InfiniteTimeSpan;

    /// <summary>How long the streams of such a connection may go on. 0 to 24 days; <see cref="Timeout.InfiniteTimeSpan"/>, the default: to their end.</summary>
    public TimeSpan MaxConnectionAgeGrace
    {
        get;
        set => field = value == Timeout.InfiniteTimeSpan ? value : Check(value, TimeSpan.Zero, TimeSpan.FromDays(24));
    } = Timeout.InfiniteTimeSpan;

    /// <summary>How long the last octets (GOAWAY) may take to leave when the connection closes. 0 to 1 minute. Default 1 s.</summary>
    public TimeSpan CloseTimeout { get; set => field = Check(value, TimeSpan.Zero, TimeSpan.FromMinutes(1)); } = TimeSpan.FromSeconds(1);

    /// <summary>A reader that waits for so many octets or fewer leaves those that have come on the windows: they are too few to fill one, and not worth
    /// a credit of their own. With all streams of the default limits that is a fortieth of the connection's window.</summary>
    internal int LargestHeldWaitBytes => Math.Min(1024, StreamWindowBytes / 4);

    private static T Check<T>(T value, T least, T most, [System.Runtime.CompilerServices.CallerMemberName] string name = "")
        where T : IComparable<T>
    {
        if (value.CompareTo(least) < 0 || value.CompareTo(most) > 0)
        {
            throw new ArgumentOutOfRangeException(name, value, $"{name} is {value}; it may be {least} to {most}.");
        }

        return value;
    }
}
