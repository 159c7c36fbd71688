using System.Diagnostics;
using System.Reflection;

namespace Weir.Samples.Tests;

/// <summary>A program of samples.</summary>
internal sealed record Sample(string Name)
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(2);

    public static string Root { get; } = Metadata("Root");

    private static string Folder => Path.Combine(Root, "samples");

    public static IEnumerable<Sample> All => Directory.EnumerateDirectories(Folder).Select(folder => new Sample(Path.GetFileName(folder)));

    /// <summary>Runs the program; the lines that it wrote, or a failed assertion when it did not end well.</summary>
    public async Task<string[]> RunAsync()
    {
        var start = new ProcessStartInfo("dotnet", [Path.Combine(Folder, Name, Metadata("SamplePrograms"), Name + ".dll")])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(Limit);
        using var process = Process.Start(start)!;
        try
        {
            var errors = process.StandardError.ReadToEndAsync(limit.Token);
            var output = await process.StandardOutput.ReadToEndAsync(limit.Token);
            await process.WaitForExitAsync(limit.Token);
            Assert.Equal((0, ""), (process.ExitCode, await errors));
            return output.ReplaceLineEndings("\n").TrimEnd('\n').Split('\n');
        }
        catch (OperationCanceledException) when (!TestContext.Current.CancellationToken.IsCancellationRequested)
        {
            throw new TimeoutException($"samples/{Name} did not end within {Limit}.");
        }
        finally
        {
            if (!process.HasExited)
                process.Kill();
        }
    }

    private static string Metadata(string key) =>
        typeof(Sample).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(known => known.Key == key).Value!;
}
