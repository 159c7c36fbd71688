using Weir.AspNetCore;
using Weir.Server.Chat;
using Weir.Server.Files;
using Weir.Server.Stocks;

namespace Weir.Server.Hosting;

/// <summary>The table of the server's settings: the command line, the help, the checks and docs/serve.md all come from it.</summary>
internal static class Settings
{
    /// <summary>The section of the configuration that is the server's own: every key in it is in the table.</summary>
    public const string Section = "Weir";

    // Their defaults are the defaults here.
    private static readonly StocksOptions Stocks = new();
    private static readonly FilesOptions Files = new() { Directory = "" };
    private static readonly ChatOptions Chat = new() { DatabasePath = "" };

    public static readonly Setting<string> Urls = new(
        "--urls",
        WebHostDefaults.ServerUrlsKey,
        SettingValues.Text("URL[;URL]"),
        Trust.DefaultUrl,
        "Where to listen: http://HOST:PORT, https://HOST:PORT or http://unix:/PATH; port 0 takes any free one.")
    {
        Variable = "ASPNETCORE_URLS",
        Synonyms = ["--listen", "--address", "--addr", "--bind", "--host", "--port", "-p", "--server"],
    };

    public static readonly Setting<string> Data = new(
        "--data", "Weir:DataDirectory", SettingValues.Text("FOLDER"), "", "The folder that holds everything the server keeps; made if it is not there.")
    {
        DefaultMeans = "weir in $XDG_DATA_HOME, else in ~/.local/share",
        Synonyms = ["--data-dir", "--directory", "--dir", "--folder", "--storage", "-d"],
    };

    public static readonly Setting<bool> Insecure = new(
        "--insecure", "Weir:Insecure", SettingValues.Flag, false, "Allow an address that other machines can reach without TLS.");

    public static readonly Setting<TimeSpan> Drain = new(
        "--drain",
        "Weir:DrainTimeout",
        SettingValues.Span(TimeSpan.Zero, TimeSpan.FromSeconds(25)), // the host itself gives up after 30 s
        new WeirOptions().DrainTimeout,
        "How long open calls may go on once the server is told to stop.");

    public static readonly Setting<TimeSpan> StocksTick = new(
        "--stocks-tick",
        "Weir:Stocks:TickInterval",
        SettingValues.Span(TimeSpan.FromMilliseconds(1), TimeSpan.FromDays(1)),
        Stocks.TickInterval,
        "Time between two prices of a random walk.");

    public static readonly Setting<int> StocksSeed = new(
        "--stocks-seed",
        "Weir:Stocks:Seed",
        SettingValues.Count(int.MinValue, int.MaxValue),
        Stocks.Seed,
        "Chooses the random walks: the same seed gives the same prices.");

    public static readonly Setting<int> StocksSymbols = new(
        "--stocks-symbols",
        "Weir:Stocks:MaxPublishedSymbols",
        SettingValues.Count(1, 10_000_000),
        Stocks.MaxPublishedSymbols,
        "How many symbols may have a published price.");

    public static readonly Setting<long> FilesMax = new(
        "--files-max", "Weir:Files:MaxFileBytes", SettingValues.Size(1, 1L << 50), Files.MaxFileBytes, "The largest file that is taken.");

    public static readonly Setting<TimeSpan> FilesKeep = new(
        "--files-keep",
        "Weir:Files:KeepUploads",
        SettingValues.Span(TimeSpan.FromSeconds(1), TimeSpan.FromDays(3650)),
        Files.KeepUploads,
        "How long an upload stays that nobody goes on with.");

    public static readonly Setting<int> ChatRing = new(
        "--chat-ring",
        "Weir:Chat:RingMessages",
        SettingValues.Count(1, 1 << 20),
        Chat.RingMessages,
        "How many of a room's messages are in memory; who lags more reads them from disk.");

    public static readonly Setting<int> ChatLag = new(
        "--chat-lag",
        "Weir:Chat:MaxLagMessages",
        SettingValues.Count(1, int.MaxValue),
        Chat.MaxLagMessages,
        "How many messages a member may lag behind its room before it is disconnected.");

    public static readonly Setting<int> ChatRooms = new(
        "--chat-rooms", "Weir:Chat:MaxRooms", SettingValues.Count(1, 10_000_000), Chat.MaxRooms, "How many rooms may have members at the same time.");

    public static readonly Setting<int> ChatQueue = new(
        "--chat-queue",
        "Weir:Chat:QueuedMessages",
        SettingValues.Count(1, 1 << 20),
        Chat.QueuedMessages,
        "How many messages may wait to be stored; when so many do, senders wait.");

    public static readonly Setting<string> ContentRoot = new(
        "--contentRoot", WebHostDefaults.ContentRootKey, SettingValues.Text("FOLDER"), "", "Where appsettings.json is read from.")
    {
        Variable = "ASPNETCORE_CONTENTROOT",
        DefaultMeans = "the current folder",
        Synonyms = ["--config", "-c"],
    };

    public static readonly Setting<string> EnvironmentName = new(
        "--environment", WebHostDefaults.EnvironmentKey, SettingValues.Text("NAME"), Environments.Production, "Has appsettings.NAME.json read too.")
    {
        Variable = "ASPNETCORE_ENVIRONMENT",
    };

    /// <summary>All of them, in the order of the help.</summary>
    public static IReadOnlyList<Setting> All { get; } =
    [
        Urls, Data, Insecure, Drain, StocksTick, StocksSeed, StocksSymbols, FilesMax, FilesKeep, ChatRing, ChatLag, ChatRooms, ChatQueue, ContentRoot, EnvironmentName,
    ];

    /// <summary>Sections of ASP.NET Core whose keys the command line takes as they are: what is in them is not the server's to know.</summary>
    public static IReadOnlyList<string> ForeignSections { get; } = ["Logging", "Kestrel"];

    /// <summary>The setting of an option, named as in the help or by its key; null when there is none.</summary>
    public static Setting? FindOption(string option) => All.FirstOrDefault(setting =>
        option.Equals(setting.Option, StringComparison.OrdinalIgnoreCase) || option.Equals("--" + setting.Key, StringComparison.OrdinalIgnoreCase));
}
