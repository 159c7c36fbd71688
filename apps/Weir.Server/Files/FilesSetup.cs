namespace Weir.Server.Files;

static class FilesSetup
{
    /// <summary>Adds the file calls, their files in the folder "files" of the data folder.</summary>
    public static IServiceCollection AddFiles(this IServiceCollection services, string dataDirectory) =>
        services
            .AddSingleton(new FilesOptions { Directory = Path.Combine(dataDirectory, "files") })
            .AddSingleton<FileStore>()
            .AddSingleton<ActiveUploads>()
            .AddSingleton<FilesHandler>();
}
