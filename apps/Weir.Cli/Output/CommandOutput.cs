using System.Text;
using System.Text.Json;
using Spectre.Console;

namespace Weir.Cli.Output;

/// <summary>Where a command writes: results to standard output, everything about the run to standard error. Not safe for use by several threads at once.</summary>
internal sealed class CommandOutput(TextWriter output, TextWriter error, bool isTerminal) : IAsyncDisposable
{
    private IAnsiConsole? _ansi;

    public TextWriter Out { get; } = output;

    public TextWriter Error { get; } = error;

    /// <summary>Whether a person watches standard output, so that tables and bars may move. Never with <see cref="Json"/>.</summary>
    public bool IsTerminal => isTerminal && !Json;

    /// <summary>Whether results are JSON, one object a line.</summary>
    public bool Json { get; set; }

    /// <summary>Tables and bars, for a terminal only.</summary>
    public IAnsiConsole Ansi => _ansi ??= AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Out) });

    public static CommandOutput ForProcess() => new(
        new StreamWriter(StandardOutput.Open(), new UTF8Encoding(false), bufferSize: 32 * 1024) { AutoFlush = !Console.IsOutputRedirected },
        Console.Error,
        !Console.IsOutputRedirected);

    /// <summary>Writes a result: a JSON object, or a line for people.</summary>
    public void Write(Action<Utf8JsonWriter> json, Func<string> line) => Out.WriteLine(Json ? JsonLine.Of(json) : line());

    /// <summary>Writes each record as it arrives: what is here goes out before the next one is waited for.</summary>
    public async Task WriteAllAsync<T>(IAsyncEnumerable<T> records, Action<T> write, CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        await using var next = records.GetAsyncEnumerator(stop.Token);
        while (true)
        {
            var arriving = next.MoveNextAsync();
            if (!(arriving.IsCompleted ? await arriving : await FlushMeanwhileAsync(arriving.AsTask(), stop)))
                return;
            write(next.Current);
        }
    }

    // An enumerator may not be disposed while it waits for its next record: when nobody takes the output any more, the wait is ended first.
    private async Task<bool> FlushMeanwhileAsync(Task<bool> arriving, CancellationTokenSource stop)
    {
        try
        {
            await Out.FlushAsync(CancellationToken.None);
        }
        catch
        {
            await stop.CancelAsync();
            await ((Task)arriving).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            throw;
        }

        return await arriving;
    }

    /// <summary>Tells people how the run goes.</summary>
    public void Note(string line) => Error.WriteLine(line);

    /// <summary>Tells people why the run failed.</summary>
    public int Fail(string sentence, int exitCode)
    {
        Error.WriteLine($"weir: {Clean(sentence)}");
        return exitCode;
    }

    public void Retrying(ReconnectNotice notice) => Note(
        $"weir: the connection broke ({Clean(notice.Cause.Status.Detail.TrimEnd('.'))}); trying again in {notice.Delay.TotalSeconds:0.0} s");

    public Task FlushAsync() => Out.FlushAsync();

    public async ValueTask DisposeAsync()
    {
        try
        {
            await Out.FlushAsync();
        }
        catch (OutputClosedException)
        {
            // Nobody is there to read the rest.
        }
    }

    /// <summary>Text from others, made harmless for a terminal: what could move the cursor or change its state is shown as a middle dot.</summary>
    public static string Clean(string text)
    {
        foreach (var c in text)
        {
            if (char.IsControl(c))
                return string.Create(text.Length, text, static (span, from) =>
                {
                    for (var i = 0; i < span.Length; i++)
                        span[i] = char.IsControl(from[i]) ? '·' : from[i];
                });
        }

        return text;
    }
}
