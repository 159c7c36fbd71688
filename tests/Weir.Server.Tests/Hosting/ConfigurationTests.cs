using System.Text;
using Microsoft.Extensions.Configuration;
using Weir.Server.Hosting;

namespace Weir.Server.Tests.Hosting;

public sealed class ConfigurationTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Every_setting_is_read_in_the_units_that_people_write()
    {
        var options = ServerOptions.Read(Json("""
            { "Weir": {
                "DataDirectory": "/data/weir", "Insecure": true, "DrainTimeout": "0s",
                "Stocks": { "TickInterval": "250ms", "Seed": -7, "MaxPublishedSymbols": 5 },
                "Files": { "MaxFileBytes": "10GiB", "KeepUploads": "1.5h" },
                "Chat": { "RingMessages": 2, "MaxLagMessages": 3, "MaxRooms": 4, "QueuedMessages": 6 } } }
            """));
        Assert.Equal(("/data/weir", true, TimeSpan.Zero), (options.DataDirectory, options.Insecure, options.DrainTimeout));
        Assert.Equal((TimeSpan.FromMilliseconds(250), -7, 5), (options.Stocks.TickInterval, options.Stocks.Seed, options.Stocks.MaxPublishedSymbols));
        Assert.Equal(("/data/weir/files", 10L << 30, TimeSpan.FromMinutes(90)), (options.Files.Directory, options.Files.MaxFileBytes, options.Files.KeepUploads));
        Assert.Equal(
            ("/data/weir/chat.db", 2, 3, 4, 6),
            (options.Chat.DatabasePath, options.Chat.RingMessages, options.Chat.MaxLagMessages, options.Chat.MaxRooms, options.Chat.QueuedMessages));
    }

    [Fact]
    public void Defaults_hold_where_nothing_is_said_and_an_empty_text_says_nothing()
    {
        var options = ServerOptions.Read(Json("""{ "Weir": { "DataDirectory": "", "Stocks": { "TickInterval": "" } } }"""));
        Assert.Equal((DataFolder.Default, false, TimeSpan.FromSeconds(5)), (options.DataDirectory, options.Insecure, options.DrainTimeout));
        Assert.Equal((TimeSpan.FromSeconds(1), 1L << 40, 1024), (options.Stocks.TickInterval, options.Files.MaxFileBytes, options.Chat.RingMessages));
    }

    [Theory]
    [InlineData("00:00:02", 2_000)]
    [InlineData("1ms", 1)]
    [InlineData("0.5S", 500)]
    [InlineData("1d", 86_400_000)]
    public void A_time_has_a_unit_or_colons(string text, double milliseconds) =>
        Assert.Equal(milliseconds, Settings.StocksTick.Read(Key("Weir:Stocks:TickInterval", text)).TotalMilliseconds);

    [Theory]
    [InlineData("1", 1)]
    [InlineData("65536", 65_536)]
    [InlineData("64kib", 65_536)]
    [InlineData("1024TiB", 1L << 50)]
    public void A_size_is_bytes_or_has_a_unit(string text, long bytes) => Assert.Equal(bytes, Settings.FilesMax.Read(Key("Weir:Files:MaxFileBytes", text)));

    [Theory]
    [InlineData("Weir:Stocks:TickInterval", "0s,0.5ms,25h,1,x,s,-1s,1e3s,99999999999999d,00:00:00", "a time such as 500ms, 1s, 5m, 2h or 7d, 1ms to 1d")]
    [InlineData("Weir:Files:MaxFileBytes", "0,-1,1.5GiB,10GB,x,1025TiB,9223372036854775807TiB", "a size such as 64KiB or 10GiB, 1B to 1024TiB")]
    [InlineData("Weir:Chat:MaxRooms", "0,-1,10000001,1.5,x,99999999999", "a whole number, 1 to 10,000,000")]
    [InlineData("Weir:Insecure", "yes,1", "true or false")]
    public void A_value_that_is_none_or_out_of_range_is_refused_with_the_range(string key, string texts, string range)
    {
        foreach (var text in texts.Split(','))
        {
            var error = Assert.Throws<ServerStartException>(() => ServerOptions.Read(Key(key, text)));
            Assert.Equal((2, $"\"{key}\" is \"{text}\"; it must be {range}."), (error.ExitCode, error.Message));
        }
    }

    [Fact]
    public void A_wrong_value_is_said_with_the_place_where_it_is_written()
    {
        const string name = "Weir__Chat__MaxRooms";
        Assert.Equal("--chat-rooms", Place(builder => builder.AddCommandLine(["--Weir:Chat:MaxRooms=0"])));
        Assert.Equal("\"Weir:Chat:MaxRooms\" in appsettings.json", Place(builder => builder.AddJsonFile(Write("""{ "Weir": { "Chat": { "MaxRooms": 0 } } }"""))));
        // A prefix of its own: servers that other tests start meanwhile do not see it.
        var prefix = $"WEIRTEST{Guid.NewGuid():N}_";
        Environment.SetEnvironmentVariable(prefix + name, "0");
        try
        {
            Assert.Equal(name + " in the environment", Place(builder => builder.AddEnvironmentVariables(prefix)));
        }
        finally
        {
            Environment.SetEnvironmentVariable(prefix + name, null);
        }

        static string Place(Action<ConfigurationManager> add)
        {
            var configuration = new ConfigurationManager();
            add(configuration);
            return Assert.Throws<ServerStartException>(() => ServerOptions.Read(configuration)).Message.Split(" is \"0\"")[0];
        }
    }

    [Theory]
    [InlineData("Weir:Strems", "\"Weir:Strems\" is no setting.")]
    [InlineData("Weir:DataDirectroy", "\"Weir:DataDirectroy\" is no setting; did you mean Weir:DataDirectory?")]
    [InlineData("weir:stoks:seed", "\"Weir:stoks:seed\" is no setting; did you mean Weir:Stocks:Seed?")]
    [InlineData("Weir:Insecure:Too", "\"Weir:Insecure:Too\" is no setting; did you mean Weir:Insecure?")]
    [InlineData("Weir:Stocks", "\"Weir:Stocks\" is no setting.")]
    [InlineData("Stocks:TickInterval", "\"Stocks:TickInterval\" is no setting; did you mean Weir:Stocks:TickInterval?")]
    [InlineData("WEIR_INSECURE", "\"Weir_Insecure\" is no setting; did you mean Weir:Insecure?")]
    public void A_key_of_the_servers_own_section_that_nobody_reads_is_an_error(string key, string sentence)
    {
        var error = Assert.Throws<ServerStartException>(() => UnknownKeys.Check(Key(key, "1")));
        Assert.Equal((2, $"{sentence} 'weir serve --help' shows the options."), (error.ExitCode, error.Message), Comparison);
    }

    [Fact]
    public void Keys_of_others_and_the_known_ones_are_no_error()
    {
        var configuration = Json("""{ "Weir": { "Insecure": true, "Stocks": {} }, "Logging": { "LogLevel": { "Default": "Debug" } } }""");
        configuration["WEIR_SERVER"] = "http://127.0.0.1:7070";
        configuration["WEIR"] = "/usr/bin/weir";
        foreach (var setting in Settings.All)
            configuration[setting.Key] = "1";
        UnknownKeys.Check(configuration);
    }

    [Fact]
    public async Task A_wrong_settings_file_stops_the_start_with_2()
    {
        await FailAsync("""{ "Weir": { "DrainTimeout": "1h" } }""",
            "weir: \"Weir:DrainTimeout\" in appsettings.json is \"1h\"; it must be a time such as 500ms, 1s, 5m, 2h or 7d, 0s to 25s.\n");
        await FailAsync("""{ "Weir": { "Strems": 1 } }""", "weir: \"Weir:Strems\" in appsettings.json is no setting. 'weir serve --help' shows the options.\n");
        await FailAsync("{", "weir: The settings cannot be read: ");
        Assert.False(Directory.Exists(Path.Combine(_folder.Path, "data")));

        async Task FailAsync(string settings, string message)
        {
            Write(settings);
            using StringWriter output = new(), errors = new();
            var code = await WeirServer.RunAsync(
                ["--contentRoot", _folder.Path, "--urls", "http://127.0.0.1:0", "--data", Path.Combine(_folder.Path, "data")], output, errors, TestContext.Current.CancellationToken);
            Assert.Equal((2, ""), (code, output.ToString()));
            Assert.StartsWith(message, errors.ToString(), StringComparison.Ordinal);
            Assert.Equal(1, errors.ToString().Count(letter => letter == '\n'));
        }
    }

    [Fact]
    public async Task A_folder_of_settings_that_is_not_there_is_2()
    {
        using StringWriter output = new(), errors = new();
        Assert.Equal(2, await WeirServer.RunAsync(["--contentRoot", "/nowhere", "--data", _folder.Path], output, errors, TestContext.Current.CancellationToken));
        Assert.Contains("/nowhere", errors.ToString(), StringComparison.Ordinal);
    }

    // The names of sections keep the case that they are asked for in.
    private static IEqualityComparer<(int, string)> Comparison { get; } =
        EqualityComparer<(int Code, string Message)>.Create((a, b) => a.Code == b.Code && string.Equals(a.Message, b.Message, StringComparison.OrdinalIgnoreCase));

    private static ConfigurationManager Key(string key, string value) => new() { [key] = value };

    private static ConfigurationManager Json(string json)
    {
        var configuration = new ConfigurationManager();
        configuration.AddJsonStream(new MemoryStream(Encoding.UTF8.GetBytes(json)));
        return configuration;
    }

    private string Write(string settings)
    {
        var path = Path.Combine(_folder.Path, "appsettings.json");
        File.WriteAllText(path, settings);
        return path;
    }
}
