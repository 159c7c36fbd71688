using System.Buffers;
using Weir.Http2;

namespace Weir.Rpc.Compression;

/// <summary>
/// A buffer from the pool that grows up to a limit. Above the limit <see cref="Advance"/> throws, so whoever fills it piece by piece stops there,
/// however much more there would be. One user at a time; disposing of it twice does no harm.
/// </summary>
internal sealed class PooledBuffer(int maxBytes) : IBufferWriter<byte>, IDisposable
{
    private const int FirstBytes = 1024;
    private const int OverflowBytes = 16;

    private byte[]? _array = [];

    /// <summary>Octets written.</summary>
    public int Length { get; private set; }

    /// <summary>What was written; valid until it is disposed of, and an error afterwards.</summary>
    public ReadOnlySpan<byte> Written => Array.AsSpan(0, Length);

    private byte[] Array => _array ?? throw new ObjectDisposedException(nameof(PooledBuffer));

    /// <inheritdoc/>
    public Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;

    /// <inheritdoc/>
    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        if (Length < Array.Length && Array.Length - Length >= sizeHint)
        {
            return Array.AsMemory(Length);
        }

        if (Length == maxBytes && sizeHint <= OverflowBytes)
        {
            return new byte[OverflowBytes]; // only to see whether anything else comes
        }

        var wanted = Math.Max(Length + (long)Math.Max(sizeHint, 1), Math.Min(maxBytes, Math.Max(FirstBytes, 2L * Length)));
        var larger = OctetPool.Shared.Rent((int)Math.Min(wanted, System.Array.MaxLength));
        Written.CopyTo(larger);
        ReturnArray();
        _array = larger;
        return larger.AsMemory(Length);
    }

    /// <inheritdoc/>
    /// <exception cref="RpcException">More than the limit was written (ResourceExhausted).</exception>
    public void Advance(int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        if (count > maxBytes - Length)
        {
            throw new RpcException(StatusCode.ResourceExhausted, $"received a message that has more than {maxBytes} bytes when decompressed; the limit is {maxBytes} (MaxReceiveMessageBytes)");
        }

        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, Array.Length - Length);
        Length += count;
    }

    /// <inheritdoc/>
    public void Dispose() => ReturnArray();

    private void ReturnArray()
    {
        if (Interlocked.Exchange(ref _array, null) is { Length: > 0 } array)
        {
            OctetPool.Shared.Return(array);
        }
    }
}
