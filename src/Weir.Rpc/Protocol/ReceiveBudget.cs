using Weir.Http2;

namespace Weir.Rpc.Protocol;

/// <summary>
/// How many octets of incomplete messages the calls of one connection may leave in its receive buffers while they wait for the rest. Messages that
/// wait in place are parsed without a copy, but hold back the connection's window; if all of it were held by halves of messages, no rest could
/// arrive. The engine gives consumed octets back in batches of half a window, so what is held must stay below the other half:
/// budget + open streams x <see cref="FreeBytes"/> &lt; window / 2, which with the default window of 8 MiB holds up to 2,048 streams.
/// Safe for use by any number of threads.
/// </summary>
internal sealed class ReceiveBudget(Http2Options options)
{
    /// <summary>Each stream may hold so much without a reservation.</summary>
    public const int FreeBytes = 1024;

    /// <summary>A stream's window must have room for an incomplete message of <see cref="FreeBytes"/> whatever was not given back yet.</summary>
    public const int LeastStreamWindowBytes = 4 * FreeBytes;

    private readonly int _mostBytesPerStream = Math.Min(options.StreamWindowBytes / 2, 256 * 1024);
    private int _leftBytes = options.ConnectionWindowBytes / 4;

    /// <summary>Reserves room for one message. False when there is not enough left.</summary>
    public bool TryReserve(long bytes)
    {
        if (bytes > _mostBytesPerStream)
        {
            return false;
        }

        if (Interlocked.Add(ref _leftBytes, -(int)bytes) >= 0)
        {
            return true;
        }

        Release((int)bytes);
        return false;
    }

    /// <summary>Gives a reservation back.</summary>
    public void Release(int bytes) => Interlocked.Add(ref _leftBytes, bytes);

    /// <summary>Throws ArgumentException when the streams' windows are too small for gRPC.</summary>
    public static void Check(Http2Options options)
    {
        if (options.StreamWindowBytes < LeastStreamWindowBytes)
        {
            throw new ArgumentException($"StreamWindowBytes is {options.StreamWindowBytes}; calls need at least {LeastStreamWindowBytes}.", nameof(options));
        }
    }
}
