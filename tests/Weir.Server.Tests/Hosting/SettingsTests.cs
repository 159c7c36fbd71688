using Microsoft.Extensions.Configuration;
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
    public void A_port_beyond_65535_is_a_usage_error() => Assert.Equal(
        (2, "http://127.0.0.1:99999 has port 99999; it must be 0 (any free one) to 65535."),
        Refusal(() => Trust.Check(Configuration("urls", "http://127.0.0.1:99999"), insecure: true)));

    [Fact]
    public void A_data_folder_has_one_server_at_a_time()
    {
        using var folder = new TempFolder();
        var path = Path.Combine(folder.Path, "new", "weir");
        using var second = new DataFolder(path);
        using (var first = new DataFolder(path))
        {
            first.Open();
            Assert.Equal((1, $"The data folder {path} is in use by another server. --data chooses another."), Refusal(second.Open));
        }

        second.Open();
    }

    [Fact]
    public void A_data_folder_that_is_a_file_is_an_error()
    {
        using var folder = new TempFolder();
        var path = Path.Combine(folder.Path, "file");
        File.WriteAllText(path, "");
        using var data = new DataFolder(path);
        Assert.Equal(1, Assert.Throws<ServerStartException>(data.Open).ExitCode);
    }

    [Fact]
    public void A_data_folder_whose_lock_cannot_be_written_is_not_said_to_be_in_use()
    {
        using var folder = new TempFolder();
        Directory.CreateDirectory(Path.Combine(folder.Path, "weir.lock"));
        using var data = new DataFolder(folder.Path);
        var (code, message) = Refusal(data.Open);
        Assert.Equal(1, code);
        Assert.StartsWith($"The data folder {folder.Path} cannot be written: ", message, StringComparison.Ordinal);
    }

    private static (int Code, string Message) Refusal(Action action)
    {
        var error = Assert.Throws<ServerStartException>(action);
        return (error.ExitCode, error.Message);
    }

    private static ConfigurationManager Configuration(string key, string value) => new() { [key] = value };
}
