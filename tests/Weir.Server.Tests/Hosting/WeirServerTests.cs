using System.Net;
using System.Net.Sockets;
using System.Text.Json;

namespace Weir.Server.Tests.Hosting;

public sealed class WeirServerTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Http_1_1_answers_with_the_version_and_health()
    {
        await using var app = WeirServer.Build(["--urls", "http://127.0.0.1:0", "--data", _folder.Path]);
        await app.StartAsync(TestContext.Current.CancellationToken);
        using var http = new HttpClient { BaseAddress = new Uri(app.Urls.Single()) };
        using var root = JsonDocument.Parse(await http.GetStringAsync("/", TestContext.Current.CancellationToken));
        Assert.Equal(("Weir", WeirServer.Version), (root.RootElement.GetProperty("name").GetString(), root.RootElement.GetProperty("version").GetString()));
        Assert.Equal("ok", await http.GetStringAsync("/healthz", TestContext.Current.CancellationToken));
        await app.StopAsync(TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task It_says_where_it_listens_and_where_its_data_is_and_ends_with_0()
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        var output = new LineWriter();
        using var errors = new StringWriter();
        var running = WeirServer.RunAsync(["--urls", "http://127.0.0.1:0", "--data", _folder.Path], output, errors, stop.Token);
        Assert.Equal($"Data: {_folder.Path}", await output.LastLine.WaitAsync(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken));
        Assert.Matches(@"^Weir listens on http://127\.0\.0\.1:\d+$", Assert.Single(output.Before));
        await stop.CancelAsync();
        Assert.Equal(0, await running.WaitAsync(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken));
        Assert.Equal("", errors.ToString());
    }

    [Fact]
    public async Task A_port_in_use_is_one_sentence_and_1()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        var url = $"http://{taken.LocalEndpoint}";
        Assert.Equal((1, "", $"weir: Failed to bind to address {url}: address already in use. Does a server run there already? --urls chooses another address.\n"), await FailAsync("--urls", url, "--data", _folder.Path));
    }

    [Fact]
    public async Task An_open_address_without_insecure_is_2()
    {
        var (code, output, errors) = await FailAsync("--urls", "http://0.0.0.0:0", "--data", _folder.Path);
        Assert.Equal((2, ""), (code, output));
        Assert.StartsWith("weir: http://0.0.0.0:0 can be reached", errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_address_that_is_not_this_machines_is_one_sentence_and_1()
    {
        var (code, _, errors) = await FailAsync("--urls", "http://192.0.2.1:7070", "--insecure", "--data", _folder.Path);
        Assert.Equal(1, code);
        Assert.Matches("^weir: The server cannot listen on http://192.0.2.1:7070: [^\n]+ --urls chooses another address.\n$", errors);
    }

    [Fact]
    public async Task Https_without_a_certificate_says_which_settings_it_needs()
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        var output = new LineWriter();
        using var errors = new StringWriter();
        var running = WeirServer.RunAsync(["--urls", "https://127.0.0.1:0", "--data", _folder.Path], output, errors, stop.Token);
        await Task.WhenAny(running, output.LastLine).WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
        await stop.CancelAsync();
        var code = await running.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
        Assert.SkipWhen(output.LastLine.IsCompleted, "This machine has a certificate for developers (dotnet dev-certs https).");
        Assert.Equal((1, "weir: An https address needs a certificate: set Kestrel:Certificates:Default:Path and KeyPath (PEM) or Password (PFX).\n"), (code, errors.ToString()));
    }

    [Fact]
    public async Task A_broken_database_is_1()
    {
        await File.WriteAllTextAsync(Path.Combine(_folder.Path, "weir.db"), new string('x', 8_192), TestContext.Current.CancellationToken);
        var (code, _, errors) = await FailAsync("--urls", "http://127.0.0.1:0", "--data", _folder.Path);
        Assert.Equal(1, code);
        Assert.Contains("not a database", errors, StringComparison.Ordinal);
    }

    private static async Task<(int Code, string Output, string Errors)> FailAsync(params string[] args)
    {
        using StringWriter output = new(), errors = new();
        var code = await WeirServer.RunAsync(args, output, errors, TestContext.Current.CancellationToken);
        return (code, output.ToString(), errors.ToString());
    }

    /// <summary>Tells when the second line is there.</summary>
    private sealed class LineWriter : StringWriter
    {
        private readonly TaskCompletionSource<string> _last = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public List<string> Before { get; } = [];

        public Task<string> LastLine => _last.Task;

        public override Task WriteLineAsync(string? value)
        {
            if (value!.StartsWith("Data: ", StringComparison.Ordinal))
                _last.SetResult(value);
            else
                Before.Add(value);
            return Task.CompletedTask;
        }
    }
}
