using Microsoft.AspNetCore.Builder;
using Weir.Server;

namespace Weir.Interop.Tests;

/// <summary>The Weir server in this process, on a free port and an empty data folder, for all tests of a class.</summary>
public sealed class WeirServerFixture : IAsyncLifetime
{
    private readonly DirectoryInfo _data = Directory.CreateTempSubdirectory("weir-interop-");
    private WebApplication? _app;

    /// <summary>"127.0.0.1:PORT".</summary>
    public string Address { get; private set; } = "";

    public async ValueTask InitializeAsync()
    {
        _app = WeirServer.Build(["--urls", "http://127.0.0.1:0", "--data", _data.FullName]);
        await _app.StartAsync();
        Address = new Uri(_app.Urls.Single()).Authority;
    }

    public async ValueTask DisposeAsync()
    {
        if (_app is not null)
            await _app.DisposeAsync();
        _data.Delete(recursive: true);
    }
}
