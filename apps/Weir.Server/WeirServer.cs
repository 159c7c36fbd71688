using System.Net.Sockets;
using System.Reflection;
using Microsoft.AspNetCore.Connections;
using Microsoft.Data.Sqlite;
using Weir.AspNetCore;
using Weir.Server.Chat;
using Weir.Server.Classic;
using Weir.Server.Files;
using Weir.Server.Hosting;
using Weir.Server.Stocks;
using Weir.Server.Storage;
using Weir.Server.Users;

namespace Weir.Server;

/// <summary>The Weir server as a library: the command line runs it and tests start it in their own process.</summary>
public static class WeirServer
{
    /// <summary>The server's version, without the commit it was built from.</summary>
    public static string Version { get; } =
        typeof(WeirServer).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion.Split('+')[0];

    /// <summary>Runs the server until Ctrl-C, SIGTERM or <paramref name="cancellationToken"/>. Says on standard output where it listens and where its
    /// data is; errors are one sentence on standard error.</summary>
    /// <param name="args">The options that --help shows.</param>
    /// <param name="cancellationToken">Stops the server as Ctrl-C does.</param>
    /// <returns>The exit code: 0 after a clean end, 1 when it could not start, 2 when an argument or a setting is wrong.</returns>
    public static Task<int> RunAsync(string[] args, CancellationToken cancellationToken = default) =>
        RunAsync(args, Console.Out, Console.Error, cancellationToken);

    internal static async Task<int> RunAsync(string[] args, TextWriter output, TextWriter errors, CancellationToken cancellationToken)
    {
        if (CommandLine.AsksForHelp(args))
        {
            await output.WriteAsync(ServeHelp.Text(Console.IsOutputRedirected ? int.MaxValue : Console.WindowWidth));
            return 0;
        }

        try
        {
            await using var app = Build(args);
            await StartAsync(app, cancellationToken);
            foreach (var url in app.Urls)
                await output.WriteLineAsync($"Weir listens on {url}");
            await output.WriteLineAsync($"Data: {app.Services.GetRequiredService<DataFolder>().Path}");
            await app.WaitForShutdownAsync(cancellationToken);
            return 0;
        }
        catch (ServerStartException error)
        {
            await errors.WriteLineAsync($"weir: {error.Message}");
            return error.ExitCode;
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return 0; // stopped while it started
        }
    }

    /// <summary>Builds the server without starting it. It has taken its data folder: dispose it.</summary>
    /// <exception cref="ServerStartException">The arguments are wrong or the data folder cannot be used.</exception>
    public static WebApplication Build(string[] args) => BuildWith(args, null);

    /// <summary>Builds the server with more than it has of its own.</summary>
    internal static WebApplication BuildWith(string[] args, Action<WebApplicationBuilder>? addMore)
    {
        // Watching for changes of appsettings.json would watch everything below the current folder.
        var builder = CreateBuilder(["--hostBuilder:reloadConfigOnChange=false", .. CommandLine.Normalize(args)]);
        UnknownKeys.Check(builder.Configuration);
        var options = ServerOptions.Read(builder.Configuration);
        Trust.SetDefaultAddress(builder.Configuration);
        Trust.Check(builder.Configuration, options.Insecure);
        // Quiet unless something is wrong (configuration may say otherwise), and standard output is for the two lines.
        builder.Logging.SetMinimumLevel(LogLevel.Warning).AddConsole(console => console.LogToStandardErrorThreshold = LogLevel.Trace);
        // The host would log a failed start with its stack; RunAsync says it in a sentence.
        builder.Logging.AddFilter("Microsoft.Extensions.Hosting.Internal.Host", LogLevel.Critical);

        builder.AddWeir(weir => weir.DrainTimeout = options.DrainTimeout);
        builder.Services.AddRpcHealth();
        builder.Services.AddSingleton(_ => new DataFolder(options.DataDirectory)).AddSingleton<Database>();
        builder.Services.AddSingleton(TimeProvider.System).AddRpcIdleMemory();
        builder.Services.AddUsers().AddStocks(options.Stocks).AddFiles(options.Files).AddChat(options.Chat).AddClassic();
        addMore?.Invoke(builder);
        var app = builder.Build();
        try
        {
            Map(app);
            return app;
        }
        catch
        {
            ((IDisposable)app).Dispose();
            throw;
        }
    }

    private static WebApplicationBuilder CreateBuilder(string[] args)
    {
        try
        {
            return WebApplication.CreateBuilder(args);
        }
        catch (Exception error) when (error is InvalidDataException or DirectoryNotFoundException or UnauthorizedAccessException)
        {
            // A settings file that is no JSON, or cannot be read; the reason of the reader is in the inner exception.
            throw new ServerStartException(2, $"The settings cannot be read: {SentenceOf(error.InnerException ?? error)}", error);
        }
    }

    private static void Map(WebApplication app)
    {
        app.Services.GetRequiredService<DataFolder>().Open();
        app.MapRpc<UsersHandler>().MapRpc<StocksHandler>().MapRpc<FilesHandler>().MapRpc<ChatHandler>();
        app.MapRpc<ClassicStreams>().MapRpc<ClassicStocks>().MapRpc<ClassicChat>();
        app.MapRpcHealth().MapRpcReflection();
        app.MapGet("/", () => Results.Ok(new { name = "Weir", version = Version }));
        app.MapGet("/healthz", () => Results.Text("ok"));
    }

    /// <summary>Starts a server that <see cref="Build"/> made and gives the reasons for a failure as sentences.</summary>
    private static async Task StartAsync(WebApplication app, CancellationToken cancellationToken)
    {
        try
        {
            app.Services.GetRequiredService<UserStore>(); // a database that cannot be opened is found now, not by the first call
            await app.StartAsync(cancellationToken);
        }
        catch (Exception error) when (error is IOException or SocketException or InvalidOperationException or UnauthorizedAccessException or SqliteException)
        {
            throw new ServerStartException(1, ReasonOf(error, string.Join(", ", Trust.Addresses(app.Configuration))), error);
        }
    }

    private static string ReasonOf(Exception error, string addresses) => error switch
    {
        { InnerException: AddressInUseException } => $"{SentenceOf(error)} Does a server run there already? --urls chooses another address.",
        SocketException => $"The server cannot listen on {addresses}: {SentenceOf(error)} --urls chooses another address.",
        // Kestrel has no type for it; its own text is for those who develop with the SDK.
        InvalidOperationException when error.Message.StartsWith("Unable to configure HTTPS endpoint", StringComparison.Ordinal) =>
            "An https address needs a certificate: set Kestrel:Certificates:Default:Path and KeyPath (PEM) or Password (PFX).",
        _ => $"The server cannot start: {SentenceOf(error)}",
    };

    /// <summary>The first line of an error's message, with a full stop.</summary>
    private static string SentenceOf(Exception error) => error.Message.Split('\n')[0].TrimEnd('.', '\r') + ".";
}
