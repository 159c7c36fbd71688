using System.Security.Cryptography;

namespace Weir.Client;

/// <summary>The SHA-256 of a file from its first byte to how far it was seen. A transfer that goes back to an earlier offset shows some
/// bytes twice; they are counted once, so nothing is hashed again after a break.</summary>
internal sealed class PrefixHash : IDisposable
{
    private readonly IncrementalHash _sha256 = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

    /// <summary>How many bytes from the start are in the hash.</summary>
    public long Length { get; private set; }

    /// <summary>Shows the bytes that lie at <paramref name="offset"/>; they must begin at or before <see cref="Length"/>.</summary>
    public void Append(long offset, ReadOnlySpan<byte> bytes)
    {
        if (offset > Length)
            throw new InvalidOperationException($"The hash holds {Length} bytes; bytes at {offset} would leave a gap.");
        var known = Length - offset;
        if (known >= bytes.Length)
            return;
        _sha256.AppendData(bytes[(int)known..]);
        Length = offset + bytes.Length;
    }

    /// <summary>Reads and adds what lies between <see cref="Length"/> and <paramref name="end"/>.</summary>
    /// <exception cref="InvalidDataException">The stream ends before that.</exception>
    public async Task CatchUpAsync(Stream source, long end, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        while (Length < end)
        {
            source.Position = Length;
            var count = await source.ReadAsync(buffer[..(int)Math.Min(buffer.Length, end - Length)], cancellationToken).ConfigureAwait(false);
            if (count == 0)
                throw new InvalidDataException($"The file ended at {Length} of {end} bytes.");
            Append(Length, buffer.Span[..count]);
        }
    }

    /// <summary>The hash of the first <see cref="Length"/> bytes, in lower-case hex.</summary>
    public string Current() => Convert.ToHexStringLower(_sha256.GetCurrentHash());

    public void Dispose() => _sha256.Dispose();
}
