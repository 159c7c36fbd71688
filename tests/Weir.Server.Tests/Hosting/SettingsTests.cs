using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;
using Weir.Server.Hosting;

namespace Weir.Server.Tests.Hosting;

public sealed class SettingsTests
{
    [Theory]
    [InlineData("http://127.0.0.1:7070")]
    [InlineData("http://127.8.9.1:1")]
    [InlineData("http://[::1]:7070")]
    [InlineData("http://localhost:7070;http://LOCALHOST:7071")]
    [InlineData("http://unix:/tmp/weir.sock")]
    [InlineData("https://*:7443;https://example.org")]
    public void An_address_of_this_machine_or_with_TLS_is_allowed(string urls) => Trust.Check(Configuration("urls", urls), insecure: false);

    [Theory]
    [InlineData("urls", "http://0.0.0.0:7070", "http://0.0.0.0:7070")]
    [InlineData("urls", "http://127.0.0.1:7070; http://*:80", "http://*:80")]
    [InlineData("urls", "http://[::]:7070", "http://[::]:7070")]
    [InlineData("urls", "http://example.org", "http://example.org")]
    [InlineData("http_ports", "8080", "http://*:8080")]
    [InlineData("Kestrel:Endpoints:Main:Url", "http://10.0.0.1:7070", "http://10.0.0.1:7070")]
    public void An_open_address_needs_insecure(string key, string value, string address)
    {
        var error = Assert.Throws<ServerStartException>(() => Trust.Check(Configuration(key, value), insecure: false));
        Assert.Equal(2, error.ExitCode);
        Assert.StartsWith(address + " can be reached from other machines without TLS", error.Message, StringComparison.Ordinal);
        Trust.Check(Configuration(key, value), insecure: true);
    }

    [Fact]
    public void What_is_no_address_is_a_usage_error()
    {
        const string urls = "7070";
        var error = Assert.Throws<ServerStartException>(() => Trust.Check(Configuration("urls", urls), insecure: false));
        Assert.Equal((2, $"\"{urls}\" is not an address such as http://127.0.0.1:7070."), (error.ExitCode, error.Message));
    }

    [Fact]
    public void The_default_address_is_used_only_when_there_is_no_other()
    {
        var empty = new ConfigurationManager();
        Trust.SetDefaultAddress(empty);
        Assert.Equal("http://127.0.0.1:7070", empty["urls"]);
        foreach (var key in new[] { "http_ports", "https_ports", "Kestrel:Endpoints:Main:Url" })
        {
            var configured = Configuration(key, "7070");
            Trust.SetDefaultAddress(configured);
            Assert.Null(configured["urls"]);
        }
    }

    [Fact]
    public void Arguments_are_keys_with_values_and_flags()
    {
        Assert.Equal(
            ["--urls=http://127.0.0.1:1", "--insecure=true", "--data=/tmp/x", "--Logging:LogLevel:Default=Debug"],
            CommandLine.Normalize(["--urls", "http://127.0.0.1:1", "--insecure", "--data=/tmp/x", "--Logging:LogLevel:Default", "Debug"]));
        foreach (var wrong in new[] { "serve", "-x", "--data" })
            Assert.Equal(2, Assert.Throws<ServerStartException>(() => CommandLine.Normalize([wrong])).ExitCode);
    }

    [Fact]
    public void A_data_folder_has_one_server_at_a_time()
    {
        using var folder = new TempFolder();
        var options = Options.Create(new ServerOptions { DataDirectory = Path.Combine(folder.Path, "new", "weir") });
        using var second = new DataFolder(options);
        using (var first = new DataFolder(options))
        {
            first.Open();
            var error = Assert.Throws<ServerStartException>(second.Open);
            Assert.Equal((1, $"The data folder {first.Path} is in use by another server."), (error.ExitCode, error.Message));
        }

        second.Open();
    }

    [Fact]
    public void A_data_folder_that_is_a_file_is_an_error()
    {
        using var folder = new TempFolder();
        var path = Path.Combine(folder.Path, "file");
        File.WriteAllText(path, "");
        using var data = new DataFolder(Options.Create(new ServerOptions { DataDirectory = path }));
        Assert.Equal(1, Assert.Throws<ServerStartException>(data.Open).ExitCode);
    }

    private static ConfigurationManager Configuration(string key, string value) => new() { [key] = value };
}
