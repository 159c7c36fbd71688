using System.Diagnostics;
using System.Text;

namespace Weir.Interop.Tests;

/// <summary>How a program ended and all that it wrote.</summary>
internal sealed record Finished(int ExitCode, string Output, string Errors);

/// <summary>A running program with its streams. Disposing kills it if it still runs. Its standard output is read by one task at a time.</summary>
internal sealed class Program : IAsyncDisposable
{
    private readonly Process _process;
    private readonly Task<string> _errors;

    private Program(IReadOnlyList<string> command)
    {
        var start = new ProcessStartInfo(command[0], command.Skip(1))
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardInputEncoding = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false),
            StandardOutputEncoding = Encoding.UTF8,
            StandardErrorEncoding = Encoding.UTF8,
        };
        // A minimal environment may say ASCII, but the programs' texts are UTF-8.
        start.Environment["PYTHONUTF8"] = "1";
        _process = Process.Start(start)!;
        _errors = _process.StandardError.ReadToEndAsync();
        Input.AutoFlush = true;
    }

    public StreamWriter Input => _process.StandardInput;

    public static Program Start(params IEnumerable<string> command) => new([.. command]);

    /// <summary>Runs a program without input to its end.</summary>
    public static async Task<Finished> RunAsync(IEnumerable<string> command, TimeSpan within)
    {
        await using var program = Start(command);
        program.Input.Close();
        return await program.FinishAsync(within);
    }

    /// <summary>The next line of the output, or null at its end.</summary>
    public async Task<string?> ReadLineAsync(TimeSpan within)
    {
        using var limit = Limit(within);
        try
        {
            return await _process.StandardOutput.ReadLineAsync(limit.Token);
        }
        catch (OperationCanceledException) when (!TestContext.Current.CancellationToken.IsCancellationRequested)
        {
            throw new TimeoutException($"{this} wrote no line within {within}.");
        }
    }

    /// <summary>Reads the rest of the output and forgets it, so that a full pipe does not stop the program. Ends with the program.</summary>
    public Task DiscardOutputAsync() => _process.StandardOutput.BaseStream.CopyToAsync(Stream.Null);

    /// <summary>Waits for the program's end.</summary>
    public async Task<Finished> FinishAsync(TimeSpan within)
    {
        using var limit = Limit(within);
        try
        {
            var output = await _process.StandardOutput.ReadToEndAsync(limit.Token);
            await _process.WaitForExitAsync(limit.Token);
            return new Finished(_process.ExitCode, output, (await _errors).TrimEnd());
        }
        catch (OperationCanceledException) when (!TestContext.Current.CancellationToken.IsCancellationRequested)
        {
            throw new TimeoutException($"{this} did not end within {within}.");
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
            _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync();
        await _errors;
        _process.Dispose();
    }

    public override string ToString() => $"{_process.StartInfo.FileName} {string.Join(' ', _process.StartInfo.ArgumentList)}";

    private static CancellationTokenSource Limit(TimeSpan within)
    {
        var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(within);
        return limit;
    }
}
