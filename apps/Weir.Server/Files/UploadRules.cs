using Weir.Rpc;
using Weir.V1;

namespace Weir.Server.Files;

/// <summary>What one upload stream must keep to: chunk numbers, offsets, the size and the hash that its chunks announce.</summary>
/// <param name="maxFileBytes">The largest file taken.</param>
sealed class UploadRules(long maxFileBytes)
{
    enum Numbering
    {
        Unknown,  // before the first chunk
        Zero,     // the first chunk was 0: the second tells
        None,     // all chunks are 0
        Counting, // each chunk is one more than the one before
    }

    Numbering _numbering;
    int _number;
    long _totalSize;
    string _sha256 = "";

    /// <summary>Checks a chunk before its data is taken.</summary>
    /// <param name="chunk">The chunk.</param>
    /// <param name="position">How many bytes of the file came before it.</param>
    /// <exception cref="RpcException">InvalidArgument, or ResourceExhausted for a file over the limit; names what was expected.</exception>
    public void Check(FileChunk chunk, long position)
    {
        CheckNumber(chunk.ChunkNumber);
        if (chunk.HasOffset && chunk.Offset != position)
            throw FileRules.Invalid($"offset {position} expected, got {chunk.Offset}");
        if (chunk.TotalSize != 0) Announce(chunk.TotalSize);
        if (chunk.Sha256.Length != 0) Announce(chunk.Sha256);
        var end = position + chunk.Data.Length;
        if (_totalSize != 0 && end > _totalSize)
            throw FileRules.Invalid($"total_size is {_totalSize}, got {end} bytes");
        if (end > maxFileBytes)
            throw new RpcException(StatusCode.ResourceExhausted, $"the file has at least {end} bytes, at most {maxFileBytes} are allowed");
    }

    /// <summary>Checks the size at the end of the stream.</summary>
    public void CheckSize(long size)
    {
        if (_totalSize != 0 && size != _totalSize)
            throw FileRules.Invalid($"total_size is {_totalSize}, got {size} bytes");
    }

    /// <summary>Checks the hash of the whole file.</summary>
    /// <exception cref="RpcException">DataLoss: the bytes that came are not those that the client hashed.</exception>
    public void CheckHash(string sha256)
    {
        if (_sha256.Length != 0 && !_sha256.Equals(sha256, StringComparison.OrdinalIgnoreCase))
            throw new RpcException(StatusCode.DataLoss, $"sha256 {_sha256} expected, got {sha256}");
    }

    void CheckNumber(int number)
    {
        switch (_numbering)
        {
            case Numbering.Unknown:
                if (number is not (0 or 1)) throw FileRules.Invalid($"chunk 0 or 1 expected, got {number}");
                _numbering = number == 0 ? Numbering.Zero : Numbering.Counting;
                break;
            case Numbering.Zero:
                if (number is not (0 or 1)) throw FileRules.Invalid($"chunk 1 expected, got {number}");
                _numbering = number == 0 ? Numbering.None : Numbering.Counting;
                break;
            case Numbering.None:
                if (number != 0) throw FileRules.Invalid($"chunk 0 expected (the chunks before it are not numbered), got {number}");
                break;
            default:
                if (number != _number + 1) throw FileRules.Invalid($"chunk {_number + 1L} expected, got {number}");
                break;
        }

        _number = number;
    }

    void Announce(long totalSize)
    {
        if (totalSize < 0) throw FileRules.Invalid($"total_size is {totalSize}, 0 or more is allowed");
        if (_totalSize != 0 && _totalSize != totalSize)
            throw FileRules.Invalid($"total_size was {_totalSize} before, got {totalSize}");
        _totalSize = totalSize;
    }

    void Announce(string sha256)
    {
        FileRules.CheckSha256(sha256);
        if (_sha256.Length != 0 && !_sha256.Equals(sha256, StringComparison.OrdinalIgnoreCase))
            throw FileRules.Invalid($"sha256 was {_sha256} before, got {sha256}");
        _sha256 = sha256;
    }
}
