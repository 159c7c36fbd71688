using Weir.Server.Chat;
using Weir.Server.Files;
using Weir.Server.Hosting;
using Weir.Server.Stocks;

namespace Weir.Server;

/// <summary>The server's settings once they are read; what each means, its range and its default are in the table <see cref="Settings"/>.</summary>
internal sealed class ServerOptions
{
    /// <summary>The folder that holds everything the server keeps, as a full path; created if it is not there.</summary>
    public required string DataDirectory { get; init; }

    /// <summary>Whether to listen without TLS on an address that other machines can reach.</summary>
    public bool Insecure { get; init; }

    /// <summary>How long open calls may go on once the server is told to stop.</summary>
    public TimeSpan DrainTimeout { get; init; }

    public required StocksOptions Stocks { get; init; }

    public required FilesOptions Files { get; init; }

    public required ChatOptions Chat { get; init; }

    /// <summary>Reads the settings.</summary>
    /// <exception cref="ServerStartException">A value is none, or out of range.</exception>
    public static ServerOptions Read(IConfiguration configuration)
    {
        var data = Path.GetFullPath(Settings.Data.Read(configuration) is { Length: > 0 } folder ? folder : DataFolder.Default);
        return new ServerOptions
        {
            DataDirectory = data,
            Insecure = Settings.Insecure.Read(configuration),
            DrainTimeout = Settings.Drain.Read(configuration),
            Stocks = new StocksOptions
            {
                TickInterval = Settings.StocksTick.Read(configuration),
                Seed = Settings.StocksSeed.Read(configuration),
                MaxPublishedSymbols = Settings.StocksSymbols.Read(configuration),
            },
            Files = new FilesOptions
            {
                Directory = Path.Combine(data, "files"),
                MaxFileBytes = Settings.FilesMax.Read(configuration),
                KeepUploads = Settings.FilesKeep.Read(configuration),
            },
            Chat = new ChatOptions
            {
                DatabasePath = Path.Combine(data, "chat.db"),
                RingMessages = Settings.ChatRing.Read(configuration),
                MaxLagMessages = Settings.ChatLag.Read(configuration),
                MaxRooms = Settings.ChatRooms.Read(configuration),
                QueuedMessages = Settings.ChatQueue.Read(configuration),
            },
        };
    }
}
