using System.Runtime.InteropServices;

namespace Weir.Client;

/// <summary>Makes renames in a folder last through a loss of power. .NET opens no folders, so this asks the C library.</summary>
internal static partial class FolderSync
{
    private const int ReadOnly = 0; // O_RDONLY

    /// <summary>Writes a folder's entries to the disk. Does nothing on Windows, where NTFS keeps a journal of them.</summary>
    /// <exception cref="IOException">The folder cannot be opened or written.</exception>
    public static void Flush(string directory)
    {
        if (OperatingSystem.IsWindows()) return;
        var descriptor = Open(directory, ReadOnly);
        if (descriptor < 0) throw Failed("open");
        try
        {
            if (Sync(descriptor) < 0) throw Failed("fsync");
        }
        finally
        {
            _ = Close(descriptor);
        }

        IOException Failed(string call) => new($"{call} of {directory}: {Marshal.GetLastPInvokeErrorMessage()}");
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int Sync(int descriptor);

    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    private static partial int Close(int descriptor);
}
