using Weir.Server.Hosting;

namespace Weir.Server.Tests.Hosting;

public sealed class CommandLineTests
{
    [Fact]
    public void Options_become_keys_of_the_configuration() => Assert.Equal(
        [
            "--urls=http://127.0.0.1:1", "--Weir:Insecure=true", "--Weir:DataDirectory=/tmp/x=y", "--Weir:Stocks:Seed=-1", "--Weir:Stocks:TickInterval=1s",
            "--Logging:LogLevel:Default=Debug", "--Weir:Insecure=false",
        ],
        CommandLine.Normalize(
        [
            "--urls", "http://127.0.0.1:1", "--insecure", "--data=/tmp/x=y", "--stocks-seed", "-1", "--weir:stocks:tickinterval", "1s",
            "--Logging:LogLevel:Default", "Debug", "--insecure=false",
        ]));

    [Theory]
    [InlineData("--url http://127.0.0.1:1", "\"--url\" is no option of 'weir serve'; did you mean --urls?")]
    [InlineData("--port 80", "\"--port\" is no option of 'weir serve'; did you mean --urls?")]
    [InlineData("--insceure", "\"--insceure\" is no option of 'weir serve'; did you mean --insecure?")]
    [InlineData("--Weir:Stocks:Sead 1", "\"--Weir:Stocks:Sead\" is no option of 'weir serve'; did you mean --Weir:Stocks:Seed?")]
    [InlineData("--somethingElse x", "\"--somethingElse\" is no option of 'weir serve'.")]
    [InlineData("serve", "\"serve\" is no option of 'weir serve'.")]
    [InlineData("--Loging:LogLevel:Default Debug", "\"--Loging:LogLevel:Default\" is no option of 'weir serve'.")]
    [InlineData("--data", "--data needs a value: --data FOLDER.")]
    [InlineData("--data --insecure", "--data needs a value: --data FOLDER.")]
    [InlineData("--data=", "--data needs a value: --data FOLDER.")]
    [InlineData("--Logging:LogLevel:Default", "--Logging:LogLevel:Default needs a value.")]
    public void What_is_no_option_is_refused_with_the_one_that_was_meant(string line, string sentence)
    {
        var error = Assert.Throws<ServerStartException>(() => CommandLine.Normalize(line.Split(' ')));
        Assert.Equal((2, $"{sentence} 'weir serve --help' shows the options."), (error.ExitCode, error.Message));
    }

    [Theory]
    [InlineData("--help")]
    [InlineData("-h")]
    [InlineData("-?")]
    [InlineData("--nonsense --help")]
    public async Task Help_is_shown_and_nothing_started(string line)
    {
        using StringWriter output = new(), errors = new();
        Assert.Equal(0, await WeirServer.RunAsync(line.Split(' '), output, errors, TestContext.Current.CancellationToken));
        Assert.Equal(("", ServeHelp.Text(int.MaxValue)), (errors.ToString(), output.ToString()));
    }

    [Fact]
    public void Help_has_every_setting_with_its_range_default_key_and_variable()
    {
        var help = string.Join(' ', ServeHelp.Text(100).Split((char[])[' ', '\n'], StringSplitOptions.RemoveEmptyEntries));
        foreach (var setting in Settings.All)
        {
            Assert.Contains($"{setting.Option} ", help, StringComparison.Ordinal);
            Assert.Contains($"Default: {setting.DefaultText}. Key: {setting.Key}. Variable: {setting.Variable}.", help, StringComparison.Ordinal);
        }

        Assert.Contains(
            "--stocks-tick TIME Time between two prices of a random walk. A time such as 500ms, 1s, 5m, 2h or 7d, 1ms to 1d. Default: 1s. Key: Weir:Stocks:TickInterval. Variable: Weir__Stocks__TickInterval.",
            help,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Help_fits_a_narrow_terminal_but_for_words_that_must_stay_whole() => Assert.All(
        ServeHelp.Text(40).TrimEnd('\n').Split('\n'),
        line => Assert.True(line.Length <= 40 || !line.Trim().Contains(' ', StringComparison.Ordinal), line));

    [Fact]
    public void The_page_about_serving_has_the_table()
    {
        var page = Path.Combine(TestProject.Root, "docs", "serve.md");
        var lines = File.ReadAllLines(page).ToList();
        var begin = lines.FindIndex(line => line.StartsWith("| option |", StringComparison.Ordinal));
        var end = lines.FindIndex(begin, line => !line.StartsWith('|'));
        if (Environment.GetEnvironmentVariable("WEIR_RENEW_DOCS") == "1")
            File.WriteAllLines(page, [.. lines[..begin], .. ServeHelp.Table, .. lines[end..]]);
        else
            Assert.True(ServeHelp.Table.SequenceEqual(lines[begin..end]), "docs/serve.md is not what the table of settings says; renew it with: WEIR_RENEW_DOCS=1 ./test Server");
    }

    [Theory]
    [InlineData("stokcs", "stocks", 1)]
    [InlineData("stock", "stocks", 1)]
    [InlineData("kitten", "sitting", 3)]
    [InlineData("", "abc", 3)]
    [InlineData("ca", "abc", 3)]
    public void Words_differ_by_letters_put_in_left_out_changed_and_swapped(string from, string to, int changes) =>
        Assert.Equal(changes, Nearest.Changes(from, to));
}
