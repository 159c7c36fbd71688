namespace Weir.Server.Hosting;

/// <summary>The data folder, held by one server at a time: a lock on the file weir.lock in it, which ends with the process however that ends.</summary>
internal sealed class DataFolder(string path) : IDisposable
{
    private const string Other = "--data chooses another.";

    private FileStream? _lock;

    public string Path { get; } = path;

    /// <summary>Where data goes when nobody says otherwise.</summary>
    public static string Default
    {
        get
        {
            var home = Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData, Environment.SpecialFolderOption.DoNotVerify);
            return System.IO.Path.Combine(home.Length > 0 ? home : Environment.CurrentDirectory, "weir");
        }
    }

    /// <summary>Creates the folder if needed and takes its lock.</summary>
    /// <exception cref="ServerStartException">It cannot be written, or another server has it.</exception>
    public void Open()
    {
        try
        {
            Directory.CreateDirectory(Path);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new ServerStartException(1, $"The data folder {Path} cannot be created: {error.Message} {Other}", error);
        }

        try
        {
            _lock = new FileStream(System.IO.Path.Combine(Path, "weir.lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (Exception error) when (error is UnauthorizedAccessException || (error is IOException taken && !IsTaken(taken)))
        {
            throw new ServerStartException(1, $"The data folder {Path} cannot be written: {error.Message} {Other}", error);
        }
        catch (IOException error) when (IsTaken(error))
        {
            throw new ServerStartException(1, $"The data folder {Path} is in use by another server. {Other}", error);
        }
    }

    public void Dispose() => _lock?.Dispose();

    // EWOULDBLOCK of Linux and of macOS, ERROR_SHARING_VIOLATION of Windows; anything else, say a read-only disk, has a reason of its own.
    private static bool IsTaken(IOException error) => error.HResult is 11 or 35 or unchecked((int)0x8007_0020);
}
