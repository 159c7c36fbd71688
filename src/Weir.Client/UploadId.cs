using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Weir.Client;

/// <summary>Ids of resumable uploads.</summary>
public static class UploadId
{
    /// <summary>The same id for the same file in the same state under the same label: made of its full path, its size, the time of its last
    /// change, and the label. So the same command, run again after a break, goes on where it stopped, and a changed file starts anew. 40 characters.</summary>
    /// <param name="path">The file.</param>
    /// <param name="name">The label on the server; null means the file's name without its folder.</param>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    public static string ForFile(string path, string? name = null)
    {
        var file = new System.IO.FileInfo(path);
        return Of(file.FullName, file.Length, file.LastWriteTimeUtc, name ?? file.Name);
    }

    internal static string Of(string fullPath, long sizeBytes, DateTime changed, string name)
    {
        // No path and no label holds a NUL, so nothing of one can pass for the other.
        var text = $"{fullPath}\0{name}";
        var state = new byte[Encoding.UTF8.GetByteCount(text) + 16];
        BinaryPrimitives.WriteInt64LittleEndian(state, sizeBytes);
        BinaryPrimitives.WriteInt64LittleEndian(state.AsSpan(8), changed.Ticks);
        Encoding.UTF8.GetBytes(text, state.AsSpan(16));
        return Convert.ToHexStringLower(SHA256.HashData(state).AsSpan(0, 20));
    }

    internal static string Random() => Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(20));
}
