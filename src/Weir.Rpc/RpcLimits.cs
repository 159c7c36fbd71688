using Weir.Rpc.Protocol;

namespace Weir.Rpc;

/// <summary>The bounds and defaults of the options, in one place.</summary>
internal static class RpcLimits
{
    /// <summary>The largest message that can be framed: an array's length, less the five octets of the prefix.</summary>
    public static readonly int LargestMessageBytes = Array.MaxLength - MessagePayload<byte>.PrefixBytes;

    /// <summary>gRPC's usual default for received messages: 4 MiB.</summary>
    public const int DefaultReceiveMessageBytes = 4 * 1024 * 1024;

    /// <summary>Checks a limit on messages.</summary>
    public static int CheckMessageBytes(int value, string name)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(value, name);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(value, LargestMessageBytes, name);
        return value;
    }

    /// <summary>Checks a span that a timer can run.</summary>
    public static TimeSpan CheckTimeout(TimeSpan value, string name)
    {
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(value, TimeSpan.Zero, name);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(value, TimeSpan.FromMilliseconds(int.MaxValue), name);
        return value;
    }
}
